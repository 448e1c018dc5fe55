import { createHash, timingSafeEqual } from "node:crypto";
import { type Principal, principalOf, tokenPrincipalOf } from "../core/access/principal.ts";
import {
  DEFAULT_SESSION_LIMITS,
  isSessionOver,
  type SessionLimits,
} from "../core/access/session.ts";
import { hashAdminToken, isAdminToken } from "../core/keys/admin-token.ts";
import { hashLoginSecret } from "../core/keys/login-secret.ts";
import type { AdminTokenRecord, MemberRecord } from "../store/access-records.ts";
import type {
  AdminTokenRepository,
  MemberRepository,
  SessionRepository,
} from "../store/access-repositories.ts";
import { readLoginCookies } from "./login-cookies.ts";

/** What a request brings along: the headers' values. */
export interface Credentials {
  readonly authorization: string | null;
  readonly cookie: string | null;
}

/** What a request says of who sends it. */
export function credentialsOf({ headers }: Pick<Request, "headers">): Credentials {
  return { authorization: headers.get("authorization"), cookie: headers.get("cookie") };
}

/** Decides who may use the admin API. */
export interface Authenticator {
  /** False for one that lets everybody in: an app with it must never be reachable over HTTP. */
  readonly checksTokens: boolean;
  /**
   * Who asks. Undefined for whom it does not let in, never why. Rejects when the store does not answer. `isUse` false: nobody has
   * asked for anything anew, so that no session is kept from lying idle.
   */
  identify(
    credentials: Credentials,
    about?: { readonly isUse: boolean },
  ): Promise<Principal | undefined>;
}

const LOCAL_OWNER = principalOf("owner", { kind: "system", id: "local", name: "local" });

/**
 * For calls inside the process that already owns the data directory (the CLI): whoever can read the root key and the
 * database needs no token. `createAdminServer` refuses an app that uses it.
 */
export const TRUST_CALLER: Authenticator = Object.freeze({
  checksTokens: false,
  identify: () => Promise.resolve(LOCAL_OWNER),
});

/** By the setting that it comes from. */
const EXTRA_TOKEN_NAME = "KEYWARD_ADMIN_TOKEN";
const EXTRA_OWNER = principalOf("owner", {
  kind: "token",
  id: EXTRA_TOKEN_NAME,
  name: EXTRA_TOKEN_NAME,
});
/** Longer ones are not tokens; this bounds what is hashed for a stranger. */
const MAX_TOKEN_CHARACTERS = 512;
const BEARER_PATTERN = /^bearer +([\x21-\x7e]+) *$/i;
/** A use is noted when the last one is as long ago: not every request is a write. */
const NOTED_EVERY_MS = 60_000;

export interface AuthenticatorDeps {
  readonly adminTokens: Pick<AdminTokenRepository, "findActiveByHash" | "touch">;
  readonly members: Pick<MemberRepository, "findById">;
  readonly sessions: Pick<SessionRepository, "findByHash" | "touch">;
  readonly nowMs: () => number;
  /** One more token besides those in the store (`KEYWARD_ADMIN_TOKEN`). */
  readonly extraToken?: string | undefined;
  readonly sessionLimits?: SessionLimits | undefined;
  /** Whether people come over https. */
  readonly isSecure?: boolean | undefined;
}

/**
 * Accepts `Bearer <token>` where the token is the extra one or an active one of the store, and without such a header the
 * cookie of a session. Secrets are compared as SHA-256, the extra token in constant time; the store is asked by hash, so
 * that what its index reveals by timing is the prefix of a hash that the caller cannot choose.
 */
export function createTokenAuthenticator(deps: AuthenticatorDeps): Authenticator {
  const extraDigest = deps.extraToken === undefined ? undefined : digestOf(deps.extraToken);
  return {
    checksTokens: true,
    async identify({ authorization, cookie }, { isUse } = { isUse: true }) {
      if (authorization === null) return findSession(deps, cookie, isUse);
      const token = readBearerToken(authorization);
      if (token === undefined) return undefined;
      if (extraDigest !== undefined && timingSafeEqual(digestOf(token), extraDigest)) {
        return EXTRA_OWNER;
      }
      // What Keyward cannot have issued is not worth a look-up: a flood of guesses stays off the database.
      if (!isAdminToken(token)) return undefined;
      const found = await deps.adminTokens.findActiveByHash(hashAdminToken(token));
      return found && admitToken(deps, found, isUse);
    },
  };
}

async function admitToken(
  { adminTokens, members, nowMs }: AuthenticatorDeps,
  token: AdminTokenRecord,
  isUse: boolean,
): Promise<Principal | undefined> {
  const now = nowMs();
  if (token.expiresAtMs !== null && token.expiresAtMs <= now) return undefined;
  const { id, name, memberId } = token;
  const member = memberId === null ? undefined : await members.findById(memberId);
  if (memberId !== null && (member === undefined || member.removedAtMs !== null)) return undefined;
  if (isUse && isWorthNoting(token.lastUsedAtMs, now)) await adminTokens.touch(id, now);
  const within = member && memberPrincipal(member);
  return tokenPrincipalOf({ kind: "token", id, name, within, memberId: member?.id }, token);
}

async function findSession(
  deps: AuthenticatorDeps,
  cookie: string | null,
  isUse: boolean,
): Promise<Principal | undefined> {
  const { session: secret } = readLoginCookies(cookie, deps.isSecure ?? false);
  const hash = secret === undefined ? undefined : hashLoginSecret("session", secret);
  const session = hash === undefined ? undefined : await deps.sessions.findByHash(hash);
  const now = deps.nowMs();
  if (!session || isSessionOver(session, deps.sessionLimits ?? DEFAULT_SESSION_LIMITS, now))
    return undefined;
  const member = await deps.members.findById(session.memberId);
  if (member === undefined || member.removedAtMs !== null) return undefined;
  if (isUse && isWorthNoting(session.lastSeenAtMs, now)) await deps.sessions.touch(session.id, now);
  return { ...memberPrincipal(member), sessionId: session.id };
}

export function memberPrincipal({ id, email, role, environments }: MemberRecord): Principal {
  return principalOf(role, { kind: "member", id, name: email, memberId: id }, environments);
}

/** Also when the clock has stepped back since. */
function isWorthNoting(lastMs: number | null, nowMs: number): boolean {
  return lastMs === null || Math.abs(nowMs - lastMs) >= NOTED_EVERY_MS;
}

function readBearerToken(authorization: string): string | undefined {
  const token = BEARER_PATTERN.exec(authorization)?.[1];
  return token !== undefined && token.length <= MAX_TOKEN_CHARACTERS ? token : undefined;
}

function digestOf(token: string): Buffer {
  return createHash("sha256").update(token).digest();
}
