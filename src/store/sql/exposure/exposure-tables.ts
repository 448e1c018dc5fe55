import type { ColumnType } from "kysely";
import type { EnvironmentId, LeakId } from "../../../core/ids/ids.ts";
import type { LeakedKind, LeakOutcome } from "../../../core/leaks/leak.ts";

type Integer = ColumnType<bigint, bigint | number, bigint | number>;

export interface LeakTable {
  readonly id: LeakId;
  readonly kind: LeakedKind;
  readonly subject_id: string;
  readonly name: string;
  readonly preview: string | null;
  readonly environment_id: EnvironmentId | null;
  readonly fingerprint: string;
  readonly outcome: LeakOutcome;
  readonly place: string | null;
  readonly source: string | null;
  readonly address: string | null;
  readonly created_at_ms: Integer;
}

interface ClientTokenRevocationTable {
  readonly kind: "customer" | "environment";
  readonly subject: string;
  readonly sequence: Integer;
  readonly revoked_at_ms: Integer;
}

export interface ExposureTables {
  readonly leaks: LeakTable;
  readonly client_token_revocations: ClientTokenRevocationTable;
}
