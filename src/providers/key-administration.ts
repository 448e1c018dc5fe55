/**
 * How a provider is asked to manage its keys, where it has an API for that. It is asked with an admin key, which calls
 * no model; what it answers that was to be expected is returned, never thrown.
 */
import type { KeyOwner } from "../core/keys/ownership.ts";

/** A provider's key by its ids there. */
export interface KeyAddress {
  readonly keyId: string;
  readonly projectId: string;
  /** Null: a person's key. */
  readonly serviceAccountId: string | null;
}

export interface NamedObject {
  readonly id: string;
  readonly name: string;
}

/** A key as its provider lists it: never with its secret. */
export interface ListedKey extends KeyAddress {
  readonly name: string;
  /** What the provider shows of the secret, `sk-svca…9fQa`. */
  readonly redactedValue: string;
  readonly owner: KeyOwner;
  /** Of the person or the service account; null where it is not said. */
  readonly ownerName: string | null;
  readonly createdAtMs: number;
  readonly lastUsedAtMs: number | null;
  readonly expiresAtMs: number | null;
}

export interface CreatedKey extends KeyAddress {
  /** In clear, this once. */
  readonly secret: string;
}

export type AdministrationAnswer<Value> =
  | { readonly kind: "done"; readonly value: Value }
  /** What was named is not there: for a deletion as good as done. */
  | { readonly kind: "missing" }
  /** Not now: no answer, too many requests, a fault of the provider. To be tried again. */
  | {
      readonly kind: "trouble";
      readonly problem: string;
      readonly retryAfterMs?: number | undefined;
    }
  /** Not at all: asking again changes nothing. */
  | { readonly kind: "refused"; readonly status: number; readonly problem: string };

/** What a project may call of one model; null where it is not said. */
export interface ModelRateLimit {
  readonly id: string;
  readonly model: string;
  readonly requestsPerMinute: number | null;
  readonly tokensPerMinute: number | null;
}

/** Null leaves a limit as it is. */
export interface RateLimitChange {
  readonly requestsPerMinute: number | null;
  readonly tokensPerMinute: number | null;
}

export interface KeyAdministration {
  /** Whether the admin key may do what is done here; changes nothing. */
  check(): Promise<AdministrationAnswer<null>>;
  /** Those in use. */
  listProjects(): Promise<AdministrationAnswer<readonly NamedObject[]>>;
  /** A list may not have it yet, or not any more; asked for by its id, it is there. */
  findProject(id: string): Promise<AdministrationAnswer<{ readonly isArchived: boolean }>>;
  createProject(name: string): Promise<AdministrationAnswer<NamedObject>>;
  /** Nothing can be called with its keys any more, and it is not listed; there is no way to delete one. */
  archiveProject(id: string): Promise<AdministrationAnswer<null>>;
  listServiceAccounts(projectId: string): Promise<AdministrationAnswer<readonly NamedObject[]>>;
  /** A service account of this name with one key. */
  createServiceAccount(projectId: string, name: string): Promise<AdministrationAnswer<CreatedKey>>;
  /** With all its keys. */
  deleteServiceAccount(projectId: string, id: string): Promise<AdministrationAnswer<null>>;
  listKeys(projectId: string): Promise<AdministrationAnswer<readonly ListedKey[]>>;
  /** Another key of a service account. */
  createKey(
    account: { readonly projectId: string; readonly serviceAccountId: string },
    name: string,
  ): Promise<AdministrationAnswer<CreatedKey>>;
  /** Has the key end by itself after so many seconds. */
  expireKey(key: KeyAddress, inSeconds: number): Promise<AdministrationAnswer<null>>;
  deleteKey(key: KeyAddress): Promise<AdministrationAnswer<null>>;
  /** At most so many cents a month. */
  setSpendLimit(projectId: string, monthlyCents: number): Promise<AdministrationAnswer<null>>;
  /** These models and no others. */
  allowModels(projectId: string, models: readonly string[]): Promise<AdministrationAnswer<null>>;
  /** Of each model that the project could call. */
  listRateLimits(projectId: string): Promise<AdministrationAnswer<readonly ModelRateLimit[]>>;
  setRateLimit(
    projectId: string,
    id: ModelRateLimit["id"],
    change: RateLimitChange,
  ): Promise<AdministrationAnswer<null>>;
  /** Where a person sets such a limit of a project, `Settings, Project, Limits`. */
  placeOf(limit: "spend" | "models" | "rate"): string;
}

/** One question to a provider, and what it says; how it is carried is the caller's. */
export interface JsonQuestion {
  readonly method: "GET" | "POST" | "DELETE";
  readonly url: string;
  /** Lower-case names; may hold a secret, and is never logged. */
  readonly headers: readonly (readonly [string, string])[];
  readonly body?: unknown;
}

export type JsonReply =
  | {
      readonly kind: "answered";
      readonly status: number;
      /** Lower-case names. */
      readonly headers: ReadonlyMap<string, string>;
      /** Undefined where it was no JSON, or too much. */
      readonly body: unknown;
      readonly retryAfterMs: number | undefined;
    }
  /** `problem` is for people: what was in the way, and no secret. */
  | { readonly kind: "unreachable"; readonly problem: string };

/** Never rejects. What an answer of a refusal (from 400 on) quotes of secrets is taken out of its body. */
export type AskJson = (question: JsonQuestion) => Promise<JsonReply>;

export interface AdministrationDeps {
  /** The admin key in clear. */
  readonly secret: string;
  /** Of the account: without trailing slash, with the version path. */
  readonly baseUrl: string;
  readonly ask: AskJson;
}
