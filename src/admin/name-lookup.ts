import type {
  CustomerId,
  EnvironmentId,
  GatewayKeyId,
  ProjectId,
  ProviderAccountId,
  ProviderKeyId,
} from "../core/ids/ids.ts";
import type { Store } from "../store/store.ts";

type NamedStore = Pick<
  Store,
  "projects" | "environments" | "providerAccounts" | "providerKeys" | "customers" | "gatewayKeys"
>;

/**
 * The names that belong to the ids of one answer. Each id is asked for once; a page has few different ones. Lives for
 * one answer, so that no name is ever stale.
 */
export class NameLookup {
  readonly #store: NamedStore;
  readonly #names = new Map<string, Promise<string | null>>();

  constructor(store: NamedStore) {
    this.#store = store;
  }

  /** Null when there is no such row (any more). */
  project(id: ProjectId): Promise<string | null> {
    return this.#once(id, async () => (await this.#store.projects.findById(id))?.name);
  }

  environment(id: EnvironmentId): Promise<string | null> {
    return this.#once(id, async () => (await this.#store.environments.findById(id))?.name);
  }

  account(id: ProviderAccountId): Promise<string | null> {
    return this.#once(id, async () => (await this.#store.providerAccounts.findById(id))?.name);
  }

  /** The provider's word. */
  providerOf(id: ProviderAccountId): Promise<string | null> {
    const find = async () => (await this.#store.providerAccounts.findById(id))?.provider;
    return this.#once(`provider of ${id}`, find);
  }

  providerKey(id: ProviderKeyId): Promise<string | null> {
    return this.#once(id, async () => (await this.#store.providerKeys.findById(id))?.name);
  }

  gatewayKey(id: GatewayKeyId): Promise<string | null> {
    return this.#once(id, async () => (await this.#store.gatewayKeys.findById(id))?.name);
  }

  /** The customer's external id. */
  customer(id: CustomerId): Promise<string | null> {
    return this.#once(id, async () => (await this.#store.customers.findById(id))?.externalId);
  }

  #once(id: string, find: () => Promise<string | undefined>): Promise<string | null> {
    const known = this.#names.get(id);
    if (known) return known;
    const asked = find().then((name) => name ?? null);
    this.#names.set(id, asked);
    return asked;
  }
}
