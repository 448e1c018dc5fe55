import type { ColumnType } from "kysely";
import type { Role } from "../../../core/access/role.ts";
import type {
  AdminTokenId,
  InvitationId,
  MemberId,
  PasswordResetId,
  SessionId,
} from "../../../core/ids/ids.ts";

type Integer = ColumnType<bigint, bigint | number, bigint | number>;
type NullableInteger = ColumnType<bigint | null, bigint | number | null, bigint | number | null>;

export interface MemberTable {
  readonly id: MemberId;
  readonly email: string;
  readonly name: string | null;
  readonly role: Role;
  /** JSON array of ids. */
  readonly environments: string | null;
  readonly password_hash: string | null;
  readonly subject: string | null;
  readonly created_at_ms: Integer;
  readonly last_login_at_ms: NullableInteger;
  readonly removed_at_ms: NullableInteger;
}

export interface InvitationTable {
  readonly id: InvitationId;
  readonly hash: string;
  readonly email: string | null;
  readonly role: Role;
  /** JSON array of ids. */
  readonly environments: string | null;
  readonly created_by: string;
  readonly made_with: AdminTokenId | null;
  readonly created_at_ms: Integer;
  readonly expires_at_ms: Integer;
  readonly accepted_at_ms: NullableInteger;
  readonly revoked_at_ms: NullableInteger;
}

export interface PasswordResetTable {
  readonly id: PasswordResetId;
  readonly hash: string;
  readonly member_id: MemberId;
  readonly created_by: string;
  readonly made_with: AdminTokenId | null;
  readonly created_at_ms: Integer;
  readonly expires_at_ms: Integer;
  readonly used_at_ms: NullableInteger;
  readonly revoked_at_ms: NullableInteger;
}

export interface SessionTable {
  readonly id: SessionId;
  readonly hash: string;
  readonly member_id: MemberId;
  readonly address: string | null;
  readonly user_agent: string | null;
  readonly created_at_ms: Integer;
  readonly last_seen_at_ms: Integer;
}

interface LoginAttemptTable {
  readonly subject: string;
  readonly failures: Integer;
  readonly last_at_ms: Integer;
  readonly blocked_until_ms: Integer;
}

interface KnownDeviceTable {
  readonly hash: string;
  readonly member_id: MemberId;
  readonly expires_at_ms: Integer;
}

export interface AdminTokenTable {
  readonly id: AdminTokenId;
  readonly name: string;
  readonly hash: string;
  readonly preview: string | null;
  readonly role: Role | null;
  /** JSON array. */
  readonly permissions: string | null;
  /** JSON array of ids. */
  readonly environments: string | null;
  readonly member_id: MemberId | null;
  readonly created_by: string | null;
  readonly made_with: AdminTokenId | null;
  readonly created_at_ms: Integer;
  readonly expires_at_ms: NullableInteger;
  readonly last_used_at_ms: NullableInteger;
  readonly revoked_at_ms: NullableInteger;
}

export interface AccessTables {
  readonly members: MemberTable;
  readonly invitations: InvitationTable;
  readonly password_resets: PasswordResetTable;
  readonly sessions: SessionTable;
  readonly login_attempts: LoginAttemptTable;
  readonly known_devices: KnownDeviceTable;
  readonly admin_tokens: AdminTokenTable;
}
