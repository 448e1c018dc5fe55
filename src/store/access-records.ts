/** What is kept of people, their sessions and the tokens of programs. No secret is kept in clear, only its hash. */
import type { Permission } from "../core/access/permission.ts";
import type { Role } from "../core/access/role.ts";
import type {
  AdminTokenId,
  EnvironmentId,
  InvitationId,
  MemberId,
  PasswordResetId,
  SessionId,
} from "../core/ids/ids.ts";

export interface MemberRecord {
  readonly id: MemberId;
  /** In lower case; unique among those that were not removed. */
  readonly email: string;
  readonly name: string | null;
  readonly role: Role;
  /** A developer's: where permissions to write hold; null: outside production. */
  readonly environments: readonly EnvironmentId[] | null;
  /** As the password hasher writes it; null: no password was set. */
  readonly passwordHash: string | null;
  /** Who it is at the identity provider, `<issuer> <subject>`; null: never came from there. */
  readonly subject: string | null;
  readonly createdAtMs: number;
  readonly lastLoginAtMs: number | null;
  readonly removedAtMs: number | null;
}

/** A link that makes a member, once. */
export interface InvitationRecord {
  readonly id: InvitationId;
  /** SHA-256 of the secret in the link, hex. */
  readonly hash: string;
  /** In lower case. Null: whoever has the link says (the first owner). */
  readonly email: string | null;
  readonly role: Role;
  readonly environments: readonly EnvironmentId[] | null;
  /** A member's address, also where it was a token of the member; else the name of whoever it was. */
  readonly createdBy: string;
  /** The admin token that it was made with, and ends with; null: made otherwise. */
  readonly madeWith: AdminTokenId | null;
  readonly createdAtMs: number;
  readonly expiresAtMs: number;
  readonly acceptedAtMs: number | null;
  readonly revokedAtMs: number | null;
}

/** A link by which a member sets a new password, once. */
export interface PasswordResetRecord {
  readonly id: PasswordResetId;
  /** SHA-256 of the secret in the link, hex. */
  readonly hash: string;
  readonly memberId: MemberId;
  /** The id of a member, also where it was a token of the member; else of whoever it was. */
  readonly createdBy: string;
  /** The admin token that it was made with, and ends with; null: made otherwise. */
  readonly madeWith: AdminTokenId | null;
  readonly createdAtMs: number;
  readonly expiresAtMs: number;
  readonly usedAtMs: number | null;
  readonly revokedAtMs: number | null;
}

export interface SessionRecord {
  readonly id: SessionId;
  /** SHA-256 of the cookie's value, hex. */
  readonly hash: string;
  readonly memberId: MemberId;
  /** Of the other end of the connection; null where it is not known. */
  readonly address: string | null;
  readonly userAgent: string | null;
  readonly createdAtMs: number;
  readonly lastSeenAtMs: number;
}

export interface AdminTokenRecord {
  readonly id: AdminTokenId;
  readonly name: string;
  /** SHA-256 of the token, hex. */
  readonly hash: string;
  /** Prefix and last characters; null for one from before previews. */
  readonly preview: string | null;
  /** Null: it has permissions of its own. */
  readonly role: Role | null;
  readonly permissions: readonly Permission[] | null;
  /** Null: it is not bound to environments. */
  readonly environments: readonly EnvironmentId[] | null;
  /** Whose it is: it may do no more than the member may, and nothing when the member is gone. Null: nobody's. */
  readonly memberId: MemberId | null;
  readonly createdBy: string | null;
  /** The admin token that it was made with, and ends with where that one leaked; null: made otherwise. */
  readonly madeWith: AdminTokenId | null;
  readonly createdAtMs: number;
  readonly expiresAtMs: number | null;
  /** To the minute. */
  readonly lastUsedAtMs: number | null;
  readonly revokedAtMs: number | null;
}

/** What was tried in vain lately by one account, address or device. */
export interface LoginAttemptRecord {
  readonly subject: string;
  readonly failures: number;
  readonly lastAtMs: number;
  /** Nothing is tried before. */
  readonly blockedUntilMs: number;
}
