/** The part of the store's contract that is about secrets which are where they should not be. */
import type { EnvironmentId, GatewayKeyId, LeakId } from "../core/ids/ids.ts";
import type { LeakedKind, LeakOutcome } from "../core/leaks/leak.ts";
import type { Page, PageRequest } from "./paging.ts";

/** A secret of ours that was reported, and what became of it. Never the secret. */
export interface LeakRecord {
  readonly id: LeakId;
  readonly kind: LeakedKind;
  /** Of the gateway key, the provider key, the token, the session or the invitation. */
  readonly subjectId: string;
  /** As they were then; of a client token its customer, of a session and a link for a new password its member's address. */
  readonly name: string;
  readonly preview: string | null;
  readonly environmentId: EnvironmentId | null;
  /** The vault's keyed fingerprint: a key can leak once more with another secret. */
  readonly fingerprint: string;
  readonly outcome: LeakOutcome;
  /** Where it was found, and by what, as far as that could be kept: a stranger said so. */
  readonly place: string | null;
  readonly source: string | null;
  /** Where the report came from. */
  readonly address: string | null;
  readonly createdAtMs: number;
}

export interface LeakRepository {
  /** False, and nothing changed, when the same secret of the same subject has come to the same outcome before. */
  insert(record: LeakRecord): Promise<boolean>;
  /** Newest first by (createdAt, id). */
  list(
    page: PageRequest,
    filter?: { readonly gatewayKeyId?: GatewayKeyId | undefined },
  ): Promise<Page<LeakRecord>>;
}

/** Whose client tokens were revoked: those that were made before the log of changes had this sequence. */
export interface ClientTokenRevocation {
  readonly kind: "customer" | "environment";
  /** The customer's external id; the environment's id. */
  readonly subject: string;
  readonly sequence: number;
}

export interface ClientTokenRevocationRepository {
  /** Ends all that were made so far; the sequence of the change. */
  revoke(whose: Pick<ClientTokenRevocation, "kind" | "subject">): Promise<number>;
  /** Those of environments, and those of customers that can still be the end of a token. */
  listAll(): Promise<readonly ClientTokenRevocation[]>;
  /** The number of the key that an environment's tokens are signed with: that of its last revocation, 0 before any. */
  currentSigningKey(environmentId: EnvironmentId): Promise<number>;
}

export interface ExposureRepositories {
  readonly leaks: LeakRepository;
  readonly clientTokens: ClientTokenRevocationRepository;
}
