import type { ColumnType } from "kysely";
import type { ActorKind } from "../../core/audit/audit-entry.ts";
import type { EnvironmentId } from "../../core/ids/ids.ts";

type Integer = ColumnType<bigint, bigint | number, bigint | number>;

export interface AuditEntryTable {
  readonly sequence: Integer;
  readonly at_ms: Integer;
  readonly actor_kind: ActorKind;
  readonly actor_id: string;
  readonly actor_name: string;
  readonly address: string | null;
  readonly request_id: string | null;
  readonly action: string;
  readonly target_kind: string;
  readonly target_id: string;
  readonly target_name: string | null;
  readonly environment_id: EnvironmentId | null;
  /** JSON objects. */
  readonly before_text: string | null;
  readonly after_text: string | null;
  readonly previous_hash: string;
  readonly hash: string;
}

/** One row. */
interface AuditHeadTable {
  readonly id: Integer;
  readonly sequence: Integer;
  readonly hash: string;
  readonly tag: string;
}

export interface AuditTables {
  readonly audit_entries: AuditEntryTable;
  readonly audit_head: AuditHeadTable;
}
