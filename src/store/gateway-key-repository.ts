/** The store's contract for gateway keys: what they may do, the secrets that stand for them, and when they were used. */
import type { CustomerId, EnvironmentId, GatewayKeyId, ProjectId } from "../core/ids/ids.ts";
import type { SupersededSecret } from "../core/keys/superseded-secret.ts";
import type { Page, PageRequest } from "./paging.ts";
import type { GatewayKeyRecord } from "./records.ts";

/** A gateway key, found by one of its secrets. */
export interface PresentedKeyRecord extends GatewayKeyRecord {
  /** Null where the secret is the key's own; else how long it holds beside that one. */
  readonly superseded: SupersededSecret | null;
}

/** A secret that a key had, as it is shown. */
export interface SupersededSecretRecord extends SupersededSecret {
  readonly keyId: GatewayKeyId;
  readonly preview: string;
}

/** What changes of a gateway key; what is absent stays. Whose it is and where it runs never changes: its history is theirs. */
export type GatewayKeyChange = {
  readonly [
    Field in
      | "name"
      | "expiresAtMs"
      | "allowedModels"
      | "allowedEndpoints"
      | "allowedIps"
      | "isForBrowsers"
  ]?: GatewayKeyRecord[Field] | undefined;
};

export interface GatewayKeyFilter {
  readonly environmentId?: EnvironmentId | undefined;
  readonly projectId?: ProjectId | undefined;
  readonly customerId?: CustomerId | undefined;
  /** `kw_live_`: what the key itself begins with. */
  readonly keyPrefix?: string | undefined;
  readonly namePrefix?: string | undefined;
  /** Only those that are not revoked. */
  readonly isUnrevoked?: boolean | undefined;
  /** Only those that can be used now and were issued, and last used, before a time. */
  readonly unused?: UnusedFilter | undefined;
}

export interface UnusedFilter {
  /** Null: that were never used. */
  readonly sinceMs: number | null;
  readonly nowMs: number;
}

export interface GatewayKeyRepository {
  insert(record: GatewayKeyRecord): Promise<void>;
  findById(id: GatewayKeyId): Promise<GatewayKeyRecord | undefined>;
  /** By SHA-256 hex, of its secret or of one that it had; also revoked and expired ones. */
  findByHash(hash: string): Promise<PresentedKeyRecord | undefined>;
  list(page: PageRequest, filter?: GatewayKeyFilter): Promise<Page<GatewayKeyRecord>>;
  /** Keys of the environment that are not revoked, expired ones included; at most `atMost` are counted. */
  countUnrevoked(environmentId: EnvironmentId, atMost: number): Promise<number>;
  /** False when there is no such key. */
  update(id: GatewayKeyId, change: GatewayKeyChange): Promise<boolean>;
  /**
   * Another secret takes the place of the key's own, which holds until a time. False when there is no such key, or it is
   * revoked.
   */
  replaceSecret(
    id: GatewayKeyId,
    change: {
      readonly hash: string;
      readonly preview: string;
      readonly nowMs: number;
      readonly validUntilMs: number;
    },
  ): Promise<boolean>;
  /**
   * Takes the last replacement back while the secret before it still holds: that is the key's own again, and the one that
   * took its place is refused from now on. False when there is none, or the key is revoked.
   */
  withdrawSecret(id: GatewayKeyId, nowMs: number): Promise<boolean>;
  /** Ends what still holds of the secrets that the key had, but for those of these hashes; returns how many. */
  endSuperseded(id: GatewayKeyId, nowMs: number, but?: readonly string[]): Promise<number>;
  /** The secrets that these keys had and that hold until after `nowMs`, newest first; at most MAX_PAGE_SIZE ids. */
  supersededOf(
    ids: readonly GatewayKeyId[],
    nowMs: number,
  ): Promise<readonly SupersededSecretRecord[]>;
  /** When these keys were last used, to the minute; those that never were are not in it. At most MAX_PAGE_SIZE ids. */
  lastUsesOf(ids: readonly GatewayKeyId[]): Promise<ReadonlyMap<GatewayKeyId, number>>;
  /** False when there is no such key or it is already revoked. */
  revoke(id: GatewayKeyId, revokedAtMs: number): Promise<boolean>;
  /** Those of them that are not revoked yet; returns how many that were. */
  revokeMany(ids: readonly GatewayKeyId[], revokedAtMs: number): Promise<number>;
}
