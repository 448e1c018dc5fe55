/**
 * A provider's contract: how its API is addressed and authenticated. Shared code never asks for a provider's name,
 * it asks this contract. Formats of bodies live in wire/, prices in core/pricing.
 */
import type { Ownership, OwnershipClues } from "../core/keys/ownership.ts";
import type { Dialect } from "../wire/dialect.ts";
import type { AdministrationDeps, KeyAdministration } from "./key-administration.ts";

interface ProviderCredentials {
  /** The secret in clear; never logged, never kept beyond the route it belongs to. */
  readonly secret: string;
  readonly organizationId: string | null;
  readonly projectId: string | null;
}

/** What an account at the provider may say of itself, besides its name and its base URL. */
export type AccountField = "organizationId" | "projectId" | "apiVersion";

/** A call as it came to the data plane, for a provider whose paths are not OpenAI's. */
export interface AddressRequest {
  /** Of the account's base URL, without trailing slash: empty, or `/v1`. */
  readonly basePath: string;
  /** `https://api.example.com` */
  readonly origin: string;
  /** The account's, where it has one. */
  readonly apiVersion: string | null;
  /** Below `/v1`: `/chat/completions`. */
  readonly path: string;
  /** As it came, with its question mark; empty when there is none. */
  readonly query: string;
  readonly model: string | null;
  /** The client called a path of Azure's dated API, and this is the version it named. */
  readonly dated: { readonly apiVersion: string | null } | null;
}

export interface Address {
  /** Path and query. */
  readonly target: string;
  /** As `supports.streamUsage`, for this call. */
  readonly takesStreamUsage: boolean;
}

export interface Provider {
  /** The word in `provider` columns. */
  readonly name: string;
  readonly title: string;
  /** The APIs it speaks. A call of another one never goes there: nothing is translated. */
  readonly dialects: readonly Dialect[];
  /** Without trailing slash, with the version path; null when an account must name its own. */
  readonly defaultBaseUrl: string | null;
  /** For people: what a base URL of an account looks like. */
  readonly baseUrlExample: string;
  /** For people: where its keys are deleted by hand. Absent: everywhere somewhere else, or nowhere. */
  readonly keysPage?: string;
  /** The fields that mean something to it; any other is refused. */
  readonly accountFields: readonly AccountField[];
  readonly supports: {
    /** Accepts `stream_options.include_usage` on streamed chat and text completions. */
    readonly streamUsage: boolean;
  };
  /**
   * Whether it has the endpoint; a call never goes to a provider that has not. `path` is the data plane's, without
   * query. Absent: it has whatever a client of it asks for.
   */
  readonly serves?: (method: string, path: string) => boolean;
  /**
   * Fields that limit the output and that it may pass over (`max_completion_tokens`): what a call may cost at worst must
   * not rely on them. Absent: none.
   */
  readonly ignoredOutputLimits?: readonly string[];
  /** Whether its calls cost nothing by definition (the simulator). */
  readonly isFree: boolean;
  /** Its answers are made up: for trying things out, not for customers. Absent: they are not. */
  readonly isSimulated?: true;
  /**
   * Its name in OpenTelemetry's conventions for generative AI (`gen_ai.provider.name`), where that is another one than
   * its own.
   */
  readonly genAiName?: string;
  /** Its name in the price book, where that is another one than its own. */
  readonly pricedAs?: string;
  /** Sent with every call whose client does not send them itself; lower-case names. */
  readonly defaultHeaders?: readonly (readonly [string, string])[];
  /** Lower-case header names with values that authenticate a call. */
  authHeaders(credentials: ProviderCredentials): readonly (readonly [string, string])[];
  /**
   * The `error.code`s of a 401 that say that the secret itself is none of its own, or no more; any other is about something
   * else: the network it came from, the organization that was named. Absent: its answers do not tell.
   */
  readonly badSecretCodes?: ReadonlySet<string>;
  /** Whose a secret of its is, by what is known of it. Absent: nothing about its secrets tells. */
  ownershipOf?(clues: OwnershipClues): Ownership;
  /** What its admin keys begin with. Absent: nothing that tells. */
  readonly adminKeyPrefix?: string;
  /** Manages its keys, with an admin key. Absent: it has no API for that. */
  administer?(deps: AdministrationDeps): KeyAdministration;
  /** A base URL of an account in the one form that `address` expects, from those that people paste. */
  normalizeBaseUrl?(baseUrl: string): string;
  /** Where a call goes. Absent: the path below `/v1`, appended to the base path. */
  address?(request: AddressRequest): Address;
}

/** The providers by name. */
export interface ProviderRegistry {
  find(name: string): Provider | undefined;
  list(): readonly Provider[];
}

export function createProviderRegistry(providers: readonly Provider[]): ProviderRegistry {
  const byName = new Map(providers.map((provider) => [provider.name, provider]));
  return {
    find: (name) => byName.get(name),
    list: () => [...byName.values()],
  };
}
