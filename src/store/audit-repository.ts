/** The store's contract for the audit log. Entries are only ever added. */
import type {
  AuditEntry,
  AuditHash,
  AuditHead,
  UnchainedEntry,
} from "../core/audit/audit-entry.ts";
import type { EnvironmentId } from "../core/ids/ids.ts";
import type { Page, PageRequest } from "./paging.ts";

export interface AuditFilter {
  /** `gatewayKey.revoked`, or `gatewayKey.` for all that begin so. */
  readonly action?: string | undefined;
  readonly actor?: string | undefined;
  /** The target's id. */
  readonly targetId?: string | undefined;
  readonly environmentId?: EnvironmentId | undefined;
  /** Inclusive. */
  readonly fromMs?: number | undefined;
  /** Exclusive. */
  readonly toMs?: number | undefined;
}

export interface AuditRepository {
  /** Puts the entry at the chain's end. To be called in the transaction of what it tells of. */
  append(entry: UnchainedEntry, hash: AuditHash): Promise<AuditEntry>;
  /** Undefined while there is no entry. */
  findHead(): Promise<AuditHead | undefined>;
  findBySequence(sequence: number): Promise<AuditEntry | undefined>;
  /** From this sequence on, oldest first; at most `limit`. */
  listFrom(sequence: number, limit: number): Promise<readonly AuditEntry[]>;
  /** Newest first. */
  list(page: PageRequest, filter?: AuditFilter): Promise<Page<AuditEntry>>;
}
