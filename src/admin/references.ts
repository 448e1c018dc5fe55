import { isId } from "../core/ids/ids.ts";
import { nearestName } from "../core/text/nearest-name.ts";
import type {
  CustomerRecord,
  EnvironmentRecord,
  GatewayKeyRecord,
  ProjectRecord,
  ProviderAccountRecord,
} from "../store/records.ts";
import { MAX_PAGE_SIZE, type Store } from "../store/store.ts";
import type { Problem } from "./answers/error-body.ts";
import { quoteInput } from "./fields/quote-input.ts";

type ReferredStore = Pick<Store, "projects" | "environments" | "providerAccounts" | "customers">;

/** Environments named in a message, at most. */
const MAX_NAMED = 20;
/** Keys whose names begin with the same text are looked through, so many pages of them. */
const MAX_KEY_PAGES = 20;
const DEFAULT_PROJECT = "default";

/**
 * Looks up what the fields of one request refer to, by id or by name, and collects what is not there, so that the
 * answer names all of it at once.
 */
export class References {
  readonly #store: ReferredStore;
  /** One place for each look-up in the order of the calls, whichever ends first. */
  readonly #findings: (Problem | undefined)[] = [];

  constructor(store: ReferredStore) {
    this.#store = store;
  }

  /** What was not there, of the look-ups that have ended. */
  get problems(): readonly Problem[] {
    return this.#findings.filter((finding) => finding !== undefined);
  }

  environment(param: string, text: string): Promise<EnvironmentRecord | undefined> {
    return this.#look(param, findEnvironment(this.#store, text), async () => {
      const { rows, nextCursor } = await this.#store.environments.list({ limit: MAX_NAMED });
      const known = rows.map((row) => row.name);
      const nearest = nearestName(text, known);
      if (nearest !== undefined) {
        return `There is no environment ${quoteInput(text)}; did you mean \`${nearest}\`?`;
      }
      const names = known.map((name) => `\`${name}\``).join(", ");
      const more = nextCursor === null ? "" : " and more (`keyward environments list`)";
      return `There is no environment ${quoteInput(text)}; there are ${names}${more}.`;
    });
  }

  /** Without a text the default project. */
  project(param: string, text = DEFAULT_PROJECT): Promise<ProjectRecord | undefined> {
    const advice = "See `keyward projects list`, or create it with `keyward projects create`";
    const message = `There is no project ${quoteInput(text)}. ${advice}.`;
    return this.#look(param, findProject(this.#store, text), () => message);
  }

  customer(param: string, text: string): Promise<CustomerRecord | undefined> {
    const advice = "Create it first with `keyward customers create` or `POST /api/v1/customers`";
    const message = `There is no customer ${quoteInput(text)}. ${advice}.`;
    return this.#look(param, findCustomer(this.#store, text), () => message);
  }

  account(param: string, text: string): Promise<ProviderAccountRecord | undefined> {
    const advice =
      "See `keyward provider-accounts list`, or add it with `keyward provider-accounts create`";
    const message = `There is no provider account ${quoteInput(text)}. ${advice}.`;
    return this.#look(param, findAccount(this.#store, text), () => message);
  }

  async #look<Found>(
    param: string,
    finding: Promise<Found | undefined>,
    describe: () => string | Promise<string>,
  ): Promise<Found | undefined> {
    const place = this.#findings.push(undefined) - 1;
    const found = await finding;
    if (found === undefined) this.#findings[place] = { param, message: await describe() };
    return found;
  }
}

/** Names that look like an id are refused when they are given, so an id and a name never mean two objects. */
export function findEnvironment(
  { environments }: Pick<Store, "environments">,
  text: string,
): Promise<EnvironmentRecord | undefined> {
  return isId("env", text) ? environments.findById(text) : environments.findByName(text);
}

/** By its name where only one that is not revoked has it. */
export async function findGatewayKey(
  { gatewayKeys }: Pick<Store, "gatewayKeys">,
  text: string,
): Promise<GatewayKeyRecord | undefined> {
  if (isId("key", text)) return gatewayKeys.findById(text);
  const filter = { namePrefix: text, isUnrevoked: true };
  const found: GatewayKeyRecord[] = [];
  let cursor: string | undefined;
  for (let page = 0; page < MAX_KEY_PAGES; page += 1) {
    const { rows, nextCursor } = await gatewayKeys.list({ limit: MAX_PAGE_SIZE, cursor }, filter);
    found.push(...rows.filter(({ name }) => name === text));
    if (found.length > 1) return undefined;
    if (nextCursor === null) return found[0];
    cursor = nextCursor;
  }
  return undefined;
}

function findProject(
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
