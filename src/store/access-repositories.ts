/** The store's contract for people, their sessions, and the tokens of programs. */
import type {
  AdminTokenId,
  InvitationId,
  MemberId,
  PasswordResetId,
  SessionId,
} from "../core/ids/ids.ts";
import type {
  AdminTokenRecord,
  InvitationRecord,
  LoginAttemptRecord,
  MemberRecord,
  PasswordResetRecord,
  SessionRecord,
} from "./access-records.ts";
import type { Page, PageRequest } from "./paging.ts";

/** What changes of a member; what is absent stays. */
export type MemberChange = Partial<
  Pick<
    MemberRecord,
    "name" | "role" | "environments" | "passwordHash" | "subject" | "lastLoginAtMs"
  >
>;

/** But for `findById` and `list` with removed ones, a member who was removed is not there. */
export interface MemberRepository {
  /** Throws UniqueViolationError for `email` and `subject`. */
  insert(record: MemberRecord): Promise<void>;
  findById(id: MemberId): Promise<MemberRecord | undefined>;
  /** `email` in lower case. */
  findByEmail(email: string): Promise<MemberRecord | undefined>;
  findBySubject(subject: string): Promise<MemberRecord | undefined>;
  /** Newest first by (createdAt, id). */
  list(page: PageRequest): Promise<Page<MemberRecord>>;
  countOwners(): Promise<number>;
  /** False when there is no such member. */
  update(id: MemberId, change: MemberChange): Promise<boolean>;
  /** False when there is no such member. */
  remove(id: MemberId, atMs: number): Promise<boolean>;
}

/** Those that were made with an admin token, or with any. */
interface MadeWith {
  readonly madeWith: AdminTokenId | "any";
}

/** Those for an address (in lower case; null: for nobody in particular), or those that somebody has made. */
export type OpenInvitations =
  | { readonly email: string | null }
  | { readonly createdBy: InvitationRecord["createdBy"] }
  | MadeWith;

export interface InvitationRepository {
  insert(record: InvitationRecord): Promise<void>;
  findById(id: InvitationId): Promise<InvitationRecord | undefined>;
  findByHash(hash: string): Promise<InvitationRecord | undefined>;
  /** The newest for this address (in lower case) that can be accepted then. */
  findOpenByEmail(email: string, atMs: number): Promise<InvitationRecord | undefined>;
  /** The newest that makes an owner, is for nobody in particular and can be accepted then. */
  findOpenOwnerLink(atMs: number): Promise<InvitationRecord | undefined>;
  /** Newest first by (createdAt, id); those that were accepted or revoked are left out. */
  list(page: PageRequest): Promise<Page<InvitationRecord>>;
  /** False when it was accepted, revoked or has expired by then: of two who accept it at once one has it. */
  accept(id: InvitationId, atMs: number): Promise<boolean>;
  /** False when it was accepted or revoked before. */
  revoke(id: InvitationId, atMs: number): Promise<boolean>;
  /** Revokes every open one that is meant; those that it has revoked. */
  revokeOpen(which: OpenInvitations, atMs: number): Promise<readonly InvitationRecord[]>;
}

/** Those for a member, those that somebody has made, or all. */
export type OpenPasswordResets =
  | Pick<PasswordResetRecord, "memberId">
  | Pick<PasswordResetRecord, "createdBy">
  | MadeWith
  | "all";

export interface PasswordResetRepository {
  insert(record: PasswordResetRecord): Promise<void>;
  findById(id: PasswordResetId): Promise<PasswordResetRecord | undefined>;
  findByHash(hash: string): Promise<PasswordResetRecord | undefined>;
  /** False when it was used, revoked or has expired by then: of two who follow it at once one has it. */
  use(id: PasswordResetId, atMs: number): Promise<boolean>;
  /** Revokes every open one that is meant; those that it has revoked. */
  revokeOpen(which: OpenPasswordResets, atMs: number): Promise<readonly PasswordResetRecord[]>;
}

export interface SessionRepository {
  insert(record: SessionRecord): Promise<void>;
  findByHash(hash: string): Promise<SessionRecord | undefined>;
  /** Latest seen first; at most MAX_PAGE_SIZE of store.ts. */
  listOf(memberId: MemberId): Promise<readonly SessionRecord[]>;
  touch(id: SessionId, atMs: number): Promise<void>;
  /** False when the member has no such session. */
  remove(id: SessionId, memberId: MemberId): Promise<boolean>;
  /** All of the member's, but for one; returns how many. */
  removeOf(memberId: MemberId, but?: SessionId): Promise<number>;
  /** Those that were made, or last seen, before these times. */
  removeOld(before: { readonly createdMs: number; readonly seenMs: number }): Promise<number>;
}

/** What protects logins. Nothing in here is a secret that opens anything. */
export interface LoginRepository {
  /** Those of the subjects that are there. */
  findAttempts(subjects: readonly string[]): Promise<readonly LoginAttemptRecord[]>;
  /** In place of what was there. */
  putAttempt(record: LoginAttemptRecord): Promise<void>;
  removeAttempts(subjects: readonly string[]): Promise<void>;
  /** Forgets what was last tried before; returns how many. */
  removeAttemptsBefore(atMs: number): Promise<number>;
  /** A browser from which the member has logged in; by the SHA-256 of its cookie. */
  insertDevice(device: {
    readonly hash: string;
    readonly memberId: MemberId;
    readonly expiresAtMs: number;
  }): Promise<void>;
  /** Whether it is one of the member's, and has not expired. */
  hasDevice(hash: string, memberId: MemberId, nowMs: number): Promise<boolean>;
  removeDevicesOf(memberId: MemberId): Promise<void>;
  removeDevicesBefore(expiredMs: number): Promise<number>;
}

export interface AccessRepositories {
  readonly members: MemberRepository;
  readonly invitations: InvitationRepository;
  readonly passwordResets: PasswordResetRepository;
  readonly sessions: SessionRepository;
  readonly logins: LoginRepository;
}

export interface AdminTokenRepository {
  insert(record: AdminTokenRecord): Promise<void>;
  findById(id: AdminTokenId): Promise<AdminTokenRecord | undefined>;
  /** By SHA-256 hex; only when not revoked. May have expired. */
  findActiveByHash(hash: string): Promise<AdminTokenRecord | undefined>;
  /** Newest first by (createdAt, id). */
  list(
    page: PageRequest,
    filter?: { readonly memberId?: MemberId | undefined },
  ): Promise<Page<AdminTokenRecord>>;
  /** Also those that are revoked. */
  listMadeWith(id: AdminTokenId): Promise<readonly AdminTokenRecord[]>;
  touch(id: AdminTokenId, atMs: number): Promise<void>;
  /** Called by `end-admin-token.ts` alone. False when there is no such token or it is already revoked. */
  revoke(id: AdminTokenId, revokedAtMs: number): Promise<boolean>;
  /** Called by `end-admin-token.ts` alone. Revokes every token that is active; returns how many. */
  revokeAll(revokedAtMs: number): Promise<number>;
}
