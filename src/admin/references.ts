import { isId } from "../core/ids/ids.ts";
import type {
  CustomerRecord,
  EnvironmentRecord,
  ProjectRecord,
  ProviderAccountRecord,
} from "../store/records.ts";
import type { Store } from "../store/store.ts";
import type { Problem } from "./answers/error-body.ts";
import { quoteInput } from "./fields/quote-input.ts";

type ReferredStore = Pick<Store, "projects" | "environments" | "providerAccounts" | "customers">;

/** Environments named in a message, at most. */
const MAX_NAMED = 20;
const DEFAULT_PROJECT = "default";

/**
 * Looks up what the fields of one request refer to, by id or by name, and collects what is not there, so that the
 * answer names all of it at once.
 */
export class References {
  readonly problems: Problem[] = [];
  readonly #store: ReferredStore;

  constructor(store: ReferredStore) {
    this.#store = store;
  }

  async environment(param: string, text: string): Promise<EnvironmentRecord | undefined> {
    const found = await findEnvironment(this.#store, text);
    if (!found) {
      const { rows, nextCursor } = await this.#store.environments.list({ limit: MAX_NAMED });
      const names = rows.map((row) => `\`${row.name}\``).join(", ");
      const more = nextCursor === null ? "" : " and more (`keyward environments list`)";
      this.#add(param, `There is no environment ${quoteInput(text)}; there are ${names}${more}.`);
    }
    return found;
  }

  /** Without a text the default project. */
  async project(param: string, text = DEFAULT_PROJECT): Promise<ProjectRecord | undefined> {
    const found = await findProject(this.#store, text);
    if (!found) {
      const advice = "See `keyward projects list`, or create it with `keyward projects create`";
      this.#add(param, `There is no project ${quoteInput(text)}. ${advice}.`);
    }
    return found;
  }

  async customer(param: string, text: string): Promise<CustomerRecord | undefined> {
    const found = await findCustomer(this.#store, text);
    if (!found) {
      const advice = "Create it first with `keyward customers create` or `POST /api/v1/customers`";
      this.#add(param, `There is no customer ${quoteInput(text)}. ${advice}.`);
    }
    return found;
  }

  async account(param: string, text: string): Promise<ProviderAccountRecord | undefined> {
    const found = await findAccount(this.#store, text);
    if (!found) {
      const advice =
        "See `keyward provider-accounts list`, or add it with `keyward provider-accounts add`";
      this.#add(param, `There is no provider account ${quoteInput(text)}. ${advice}.`);
    }
    return found;
  }

  #add(param: string, message: string): void {
    this.problems.push({ param, message });
  }
}

/** Names that look like an id are refused when they are given, so an id and a name never mean two objects. */
export function findEnvironment(
  { environments }: Pick<Store, "environments">,
  text: string,
): Promise<EnvironmentRecord | undefined> {
  return isId("env", text) ? environments.findById(text) : environments.findByName(text);
}

export function findProject(
  { projects }: Pick<Store, "projects">,
  text: string,
): Promise<ProjectRecord | undefined> {
  return isId("prj", text) ? projects.findById(text) : projects.findByName(text);
}

export function findAccount(
  { providerAccounts }: Pick<Store, "providerAccounts">,
  text: string,
): Promise<ProviderAccountRecord | undefined> {
  return isId("acc", text) ? providerAccounts.findById(text) : providerAccounts.findByName(text);
}

export function findCustomer(
  { customers }: Pick<Store, "customers">,
  text: string,
): Promise<CustomerRecord | undefined> {
  return isId("cus", text) ? customers.findById(text) : customers.findByExternalId(text);
}
