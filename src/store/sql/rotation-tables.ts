import type { ColumnType } from "kysely";
import type {
  DataKeyId,
  EnvironmentId,
  ProviderAccountId,
  ProviderKeyId,
  ProvisionId,
  RotationId,
} from "../../core/ids/ids.ts";
import type { KeyOwner, OwnershipSource } from "../../core/keys/ownership.ts";
import type { ProvisionState } from "../../core/provisioning/provision.ts";
import type { RotationState, RotationTrigger, RotationWay } from "../../core/rotation/rotation.ts";

type Integer = ColumnType<bigint, bigint | number, bigint | number>;
type NullableInteger = ColumnType<bigint | null, bigint | number | null, bigint | number | null>;

export interface RotationTable {
  readonly id: RotationId;
  readonly key_id: ProviderKeyId;
  readonly account_id: ProviderAccountId;
  readonly environment_id: EnvironmentId;
  readonly revision: Integer;
  readonly state: RotationState;
  readonly way: RotationWay;
  readonly trigger_kind: RotationTrigger;
  readonly remote_name: string;
  /** JSON object: the rest of RotationProgress, and what has become of the old secret. */
  readonly progress: string;
  /** JSON objects, see SecretVersion; the seals are in the columns after them. */
  readonly old_secret: string;
  readonly old_data_key_id: DataKeyId | null;
  readonly old_nonce: Uint8Array | null;
  readonly old_ciphertext: Uint8Array | null;
  /** As in `old_secret`. */
  readonly old_fingerprint: string | null;
  readonly next_secret: string | null;
  readonly next_data_key_id: DataKeyId | null;
  readonly next_nonce: Uint8Array | null;
  readonly next_ciphertext: Uint8Array | null;
  /** JSON array, see RotationNote. */
  readonly notes: string;
  readonly created_by: string;
  readonly created_at_ms: Integer;
  readonly ended_at_ms: NullableInteger;
  /** Null: nothing is to be done for it any more. */
  readonly look_at_ms: NullableInteger;
}

export interface ProviderKeyFactTable {
  readonly key_id: ProviderKeyId;
  readonly owner: KeyOwner | null;
  readonly owner_source: OwnershipSource | null;
  readonly owner_detail: string | null;
  readonly owner_seen_at_ms: NullableInteger;
  readonly remote_key_id: string | null;
  readonly remote_project_id: string | null;
  readonly remote_service_account_id: string | null;
  readonly secret_since_ms: NullableInteger;
  readonly rotate_every_days: NullableInteger;
  readonly worked_version: NullableInteger;
  readonly worked_at_ms: NullableInteger;
  readonly refused_version: NullableInteger;
  readonly refused_at_ms: NullableInteger;
}

interface ProviderAdminKeyTable {
  readonly account_id: ProviderAccountId;
  readonly version: Integer;
  readonly data_key_id: DataKeyId;
  readonly nonce: Uint8Array;
  readonly ciphertext: Uint8Array;
  readonly preview: string;
  readonly fingerprint: string | null;
  readonly created_by: string;
  readonly created_at_ms: Integer;
}

export interface ProvisionTable {
  readonly id: ProvisionId;
  readonly environment_id: EnvironmentId;
  readonly account_id: ProviderAccountId;
  readonly key_id: ProviderKeyId;
  readonly key_name: string;
  readonly revision: Integer;
  readonly state: ProvisionState;
  readonly remote_name: string;
  /** JSON object, see ProviderLimits. */
  readonly limits: string;
  /** JSON object: the rest of ProvisionProgress, and what has come of the limits. */
  readonly progress: string;
  readonly project_id: string | null;
  /** JSON object, see SecretVersion; the seal is in the columns after it. */
  readonly secret: string | null;
  readonly data_key_id: DataKeyId | null;
  readonly nonce: Uint8Array | null;
  readonly ciphertext: Uint8Array | null;
  /** JSON array, see ProvisionNote. */
  readonly notes: string;
  readonly created_by: string;
  readonly created_at_ms: Integer;
  readonly ended_at_ms: NullableInteger;
  /** Null: nothing is to be done for it any more. */
  readonly look_at_ms: NullableInteger;
}

export interface RotationTables {
  readonly rotations: RotationTable;
  readonly provider_key_facts: ProviderKeyFactTable;
  readonly provider_admin_keys: ProviderAdminKeyTable;
  readonly provisions: ProvisionTable;
}
