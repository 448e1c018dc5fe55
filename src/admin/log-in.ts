import { createHash } from "node:crypto";
import {
  afterAttempt,
  FORGOTTEN_AFTER_MS,
  type ThrottledKind,
  waitMs,
} from "../core/access/login-throttle.ts";
import { DEFAULT_SESSION_LIMITS } from "../core/access/session.ts";
import { createLoginSecret, hashLoginSecret } from "../core/keys/login-secret.ts";
import { networkOf } from "../core/network/network-of.ts";
import type { MemberRecord, SessionRecord } from "../store/access-records.ts";
import type { AdminDeps } from "./admin-deps.ts";

export type LoginDeps = Pick<
  AdminDeps,
  "store" | "ids" | "clock" | "randomBytes" | "passwords" | "sessionLimits"
>;

/** Where a login comes from. */
export interface LoginSource {
  readonly address: string | null;
  readonly userAgent: string | null;
  /** The cookie of a browser that a member has used before. */
  readonly device: string | undefined;
}

type LoginOutcome =
  | { readonly member: MemberRecord }
  | { readonly waitMs: number }
  /** An unknown member, one without a password, or the wrong one. */
  | "wrong";

const DAY_MS = 86_400_000;
export const DEVICE_LIFE_MS = 180 * DAY_MS;
const MAX_USER_AGENT_CHARACTERS = 200;

/**
 * Checks a password. The attempt is counted before it is made, in one transaction with the look at what was counted, so
 * that no number of attempts at once gets past the throttle; a wrong password and an unknown member take the same time.
 */
export async function checkLogin(
  deps: LoginDeps,
  { email, password }: { readonly email: string; readonly password: string },
  source: LoginSource,
): Promise<LoginOutcome> {
  const { members, logins } = deps.store.access;
  const nowMs = deps.clock.nowMs();
  const member = await members.findByEmail(email);
  const device = source.device === undefined ? undefined : hashLoginSecret("device", source.device);
  const isKnown =
    device !== undefined &&
    member !== undefined &&
    (await logins.hasDevice(device, member.id, nowMs));
  const subjects = new Map<string, ThrottledKind>();
  if (isKnown) subjects.set(`device ${device}`, "device");
  else subjects.set(`account ${hashOf(email)}`, "account");
  if (source.address !== null) subjects.set(`address ${networkOf(source.address)}`, "address");
  const wait = await countAttempt(deps, subjects, nowMs);
  if (wait > 0) return { waitMs: wait };
  const isRight = await deps.passwords.verify(password, member?.passwordHash ?? null);
  if (!isRight || member === undefined) return "wrong";
  // The address keeps what it has counted: one right password must not pay for guesses at others'.
  await logins.removeAttempts([...subjects.keys()].filter((each) => !each.startsWith("address ")));
  return { member };
}

/** Makes a session, and forgets those that are over. Returns the value of its cookie. */
export async function openSession(
  { store, ids, clock, randomBytes, sessionLimits = DEFAULT_SESSION_LIMITS }: LoginDeps,
  member: Pick<MemberRecord, "id">,
  source: LoginSource,
): Promise<{ readonly secret: string; readonly session: SessionRecord }> {
  const { members, sessions } = store.access;
  const nowMs = clock.nowMs();
  const secret = createLoginSecret("session", randomBytes);
  const session: SessionRecord = {
    id: ids.create("ses"),
    hash: requiredHash("session", secret),
    memberId: member.id,
    address: source.address,
    userAgent: source.userAgent?.slice(0, MAX_USER_AGENT_CHARACTERS) ?? null,
    createdAtMs: nowMs,
    lastSeenAtMs: nowMs,
  };
  await sessions.removeOld({
    createdMs: nowMs - sessionLimits.maxMs,
    seenMs: nowMs - sessionLimits.idleMs,
  });
  await sessions.insert(session);
  await members.update(member.id, { lastLoginAtMs: nowMs });
  return { secret, session };
}

/** The value of the cookie by which this browser is known from now on. */
export async function knowDevice(
  { store, clock, randomBytes }: LoginDeps,
  member: Pick<MemberRecord, "id">,
): Promise<string> {
  const { logins } = store.access;
  const nowMs = clock.nowMs();
  const secret = createLoginSecret("device", randomBytes);
  const hash = requiredHash("device", secret);
  await logins.removeDevicesBefore(nowMs);
  await logins.insertDevice({ hash, memberId: member.id, expiresAtMs: nowMs + DEVICE_LIFE_MS });
  return secret;
}

/** How long to wait; 0: the attempt was counted and may be made. What has to wait counts for nothing. */
async function countAttempt(
  { store }: Pick<LoginDeps, "store">,
  subjects: ReadonlyMap<string, ThrottledKind>,
  nowMs: number,
): Promise<number> {
  return await store.transaction(async ({ access: { logins } }) => {
    const found = await logins.findAttempts([...subjects.keys()]);
    const bySubject = new Map(found.map((each) => [each.subject, each]));
    const wait = Math.max(0, ...found.map((each) => waitMs(each, nowMs)));
    if (wait > 0) return wait;
    await logins.removeAttemptsBefore(nowMs - FORGOTTEN_AFTER_MS);
    for (const [subject, kind] of subjects) {
      await logins.putAttempt({ subject, ...afterAttempt(kind, bySubject.get(subject), nowMs) });
    }
    return 0;
  });
}

function requiredHash(kind: "session" | "device", secret: string): string {
  const hash = hashLoginSecret(kind, secret);
  if (hash === undefined) throw new Error("a secret that was just made is none");
  return hash;
}

/** What strangers type is kept as a hash only. */
function hashOf(email: string): string {
  return createHash("sha256").update(email).digest("hex");
}
