/** The part of the store's contract that is about the life of provider keys: rotations, ownership, admin keys. */
import type { ProviderAccountId, ProviderKeyId, RotationId } from "../core/ids/ids.ts";
import type { Ownership } from "../core/keys/ownership.ts";
import type { Page, PageRequest } from "./paging.ts";
import type { ProvisionRepository } from "./provision-repository.ts";
import type {
  AdminKeyRecord,
  KeyFactsRecord,
  KeyUser,
  RemoteKey,
  RotationRecord,
} from "./rotation-records.ts";

/** Open rotations at a time; more are refused. */
export const MAX_OPEN_ROTATIONS = 1000;

export interface RotationRepository {
  /** Throws UniqueViolationError (`keyId`) while another one of the key is open. */
  insert(record: RotationRecord): Promise<void>;
  findById(id: RotationId): Promise<RotationRecord | undefined>;
  findOpenOf(keyId: ProviderKeyId): Promise<RotationRecord | undefined>;
  /** Of the keys that have an open one, its id. */
  findOpenIds(keyIds: readonly ProviderKeyId[]): Promise<ReadonlyMap<ProviderKeyId, RotationId>>;
  /** The newest that replaces, or has replaced, this secret. */
  findByOldSecret(fingerprint: string): Promise<RotationRecord | undefined>;
  /** Of those that have not ended, oldest first; at most MAX_OPEN_ROTATIONS. One that can't be read hides no other. */
  listOpenIds(): Promise<readonly RotationId[]>;
  /**
   * Of those that have ended and are looked after once more, the most urgent first; with `untilMs` those whose time has come
   * by then. At most MAX_OPEN_ROTATIONS.
   */
  listLookIds(untilMs?: number): Promise<readonly RotationId[]>;
  list(
    page: PageRequest,
    filter?: {
      readonly keyId?: ProviderKeyId | undefined;
      readonly isOpen?: boolean | undefined;
    },
  ): Promise<Page<RotationRecord>>;
  /**
   * Everything that can change, with the revision counted up. Undefined, and nothing changed, when the record has another
   * revision by now.
   */
  save(record: RotationRecord): Promise<RotationRecord | undefined>;
}

/** What calls have told of one version of a key's secret. */
export interface KeySighting {
  readonly keyId: ProviderKeyId;
  readonly version: number;
  readonly atMs: number;
  readonly kind: "worked" | "refused";
  /** What the answer said of the owner, where it said anything. */
  readonly ownership?: Ownership | undefined;
}

export interface KeyFactsRepository {
  /** Of a key of which nothing is known yet, that; never undefined. */
  of(keyId: ProviderKeyId): Promise<KeyFactsRecord>;
  /** Those of which something is known. */
  ofAll(keyIds: readonly ProviderKeyId[]): Promise<ReadonlyMap<ProviderKeyId, KeyFactsRecord>>;
  /** Only over what a weaker source has said. */
  noteOwnership(keyId: ProviderKeyId, ownership: Ownership, seenAtMs: number): Promise<void>;
  noteSightings(sightings: readonly KeySighting[]): Promise<void>;
  setRemote(keyId: ProviderKeyId, remote: RemoteKey): Promise<void>;
  /** Null: not by itself. */
  setSchedule(keyId: ProviderKeyId, rotateEveryDays: number | null): Promise<void>;
  /** The key has another secret: what was known of the one before is forgotten. */
  startSecret(
    keyId: ProviderKeyId,
    secret: {
      readonly sinceMs: number;
      readonly ownership: Ownership;
      readonly remote: RemoteKey | null;
    },
  ): Promise<void>;
  /** What the provider calls the keys that are not revoked, of those in one of its projects. */
  listRemotes(projectId: string): Promise<readonly RemoteKey[]>;
  /** Keys that are not revoked and are to be rotated by themselves; at most MAX_PAGE_SIZE. */
  listScheduled(): Promise<readonly KeyFactsRecord[]>;
}

export interface AdminKeyRepository {
  find(accountId: ProviderAccountId): Promise<AdminKeyRecord | undefined>;
  /** Of every account that has this secret. */
  listByFingerprint(fingerprint: string): Promise<readonly AdminKeyRecord[]>;
  /** In the place of the one before, whose version must be one less. False, and nothing changed, when it is not. */
  put(record: AdminKeyRecord): Promise<boolean>;
  /** False when the account has none. */
  remove(accountId: ProviderAccountId): Promise<boolean>;
}

export interface RotationRepositories {
  readonly rotations: RotationRepository;
  readonly keyFacts: KeyFactsRepository;
  readonly adminKeys: AdminKeyRepository;
  readonly provisions: ProvisionRepository;
  /** Who has called with the key since then, the last first; at most `limit`. Read from the ledger: not for hot paths. */
  usersOf(keyId: ProviderKeyId, sinceMs: number, limit: number): Promise<readonly KeyUser[]>;
}
