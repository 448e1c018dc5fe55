import type { ColumnType } from "kysely";
import type { CustomerId, EnvironmentId, GatewayKeyId, ProjectId } from "../../core/ids/ids.ts";
import type { SupersessionReason } from "../../core/keys/superseded-secret.ts";

type Integer = ColumnType<bigint, bigint | number, bigint | number>;
type NullableInteger = ColumnType<bigint | null, bigint | number | null, bigint | number | null>;

export interface GatewayKeyTable {
  readonly id: GatewayKeyId;
  readonly name: string;
  readonly project_id: ProjectId;
  readonly environment_id: EnvironmentId;
  readonly customer_id: CustomerId | null;
  readonly hash: string;
  readonly preview: string;
  /** JSON arrays of strings. */
  readonly allowed_models: string | null;
  readonly allowed_endpoints: string | null;
  readonly allowed_ips: string | null;
  /** 1 or 0. */
  readonly is_for_browsers: Integer;
  readonly created_at_ms: Integer;
  readonly expires_at_ms: NullableInteger;
  readonly revoked_at_ms: NullableInteger;
}

interface GatewayKeySecretTable {
  readonly hash: string;
  readonly key_id: GatewayKeyId;
  readonly preview: string;
  readonly reason: SupersessionReason;
  /** Later for each that follows another of its key, whatever the clock says. */
  readonly superseded_at_ms: Integer;
  readonly valid_until_ms: Integer;
}

interface GatewayKeyUseTable {
  readonly key_id: GatewayKeyId;
  readonly used_at_ms: Integer;
}

export interface GatewayKeyTables {
  readonly gateway_keys: GatewayKeyTable;
  /** Secrets that keys had before the one that they have. */
  readonly gateway_key_secrets: GatewayKeySecretTable;
  /** No foreign key: events are taken in whatever key they name. */
  readonly gateway_key_uses: GatewayKeyUseTable;
}
