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
import type { LoginAttemptRecord, MemberRecord, SessionRecord } from "../store/access-records.ts";
import type { LoginRepository } from "../store/access-repositories.ts";
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
  const subjects: Subject[] = [
    isKnown
      ? { name: `device ${device}`, kind: "device" }
      : { name: `account ${hashOf(email)}`, kind: "account" },
  ];
  const { address } = source;
  if (address !== null) subjects.push(addressSubject(address));
  const counted = await countAttempt(deps, subjects, nowMs);
  if ("waitMs" in counted) return counted;
  const isRight = await deps.passwords.verify(password, member?.passwordHash ?? null);
  if (!isRight || member === undefined) return "wrong";
  await forgive(deps, counted.attempts);
  return { member };
}

/** An attempt to log in of which the provider, not a password, tells whether it is right. */
interface CountedLogin {
  /** It was right, or it is not the visitor's fault that it was not. */
  forgive(): Promise<void>;
}

/** The same for logins that come from an identity provider: nobody knows yet whose account it is, so their network is counted alone. */
export async function countLogin(
  deps: Pick<LoginDeps, "store" | "clock">,
  { address }: Pick<LoginSource, "address">,
): Promise<CountedLogin | { readonly waitMs: number }> {
  const subjects = address === null ? [] : [addressSubject(address)];
  const counted = await countAttempt(deps, subjects, deps.clock.nowMs());
  return "waitMs" in counted ? counted : { forgive: () => forgive(deps, counted.attempts) };
}

function addressSubject(address: string): Subject {
  return { name: `address ${networkOf(address)}`, kind: "address" };
}

interface Subject {
  readonly name: string;
  readonly kind: ThrottledKind;
}

/** What was known of a subject, and what the attempt has made of it. */
interface Counted {
  readonly subject: Subject;
  readonly before: LoginAttemptRecord | undefined;
  readonly after: LoginAttemptRecord;
}

/** Somebody who has proved who they are, as they were read then. */
export interface Proven {
  readonly member: MemberRecord;
  /** What of the record the proof was held against. */
  readonly by: "passwordHash" | "subject";
}

/** The values of cookies. */
interface OpenedSession {
  readonly session: string;
  /** By which this browser is known from now on. */
  readonly device: string;
}

/**
 * Makes a session, knows the browser, and forgets what is over. Undefined when the member was removed or what the proof
 * was held against has changed since: a password takes its time to be checked, and whoever replaces one means that nobody is
 * in by the old one.
 */
export async function openSession(
  deps: LoginDeps,
  { member, by }: Proven,
  source: LoginSource,
): Promise<OpenedSession | undefined> {
  const { store, clock, sessionLimits = DEFAULT_SESSION_LIMITS } = deps;
  const nowMs = clock.nowMs();
  const { secret, record } = makeSession(deps, member, source);
  return await store.transaction(async ({ access: { members, sessions, logins } }) => {
    const current = await members.findById(member.id);
    if (current?.removedAtMs !== null || current[by] !== member[by]) return undefined;
    await sessions.removeOld({
      createdMs: nowMs - sessionLimits.maxMs,
      seenMs: nowMs - sessionLimits.idleMs,
    });
    await sessions.insert(record);
    await members.update(member.id, { lastLoginAtMs: nowMs });
    return { session: secret, device: await knowDevice(deps, logins, member) };
  });
}

function makeSession(
  { ids, clock, randomBytes }: Pick<LoginDeps, "ids" | "clock" | "randomBytes">,
  member: Pick<MemberRecord, "id">,
  source: LoginSource,
): { readonly secret: string; readonly record: SessionRecord } {
  const nowMs = clock.nowMs();
  const { secret, hash } = createLoginSecret("session", randomBytes);
  const record: SessionRecord = {
    id: ids.create("ses"),
    hash,
    memberId: member.id,
    address: source.address,
    userAgent: source.userAgent?.slice(0, MAX_USER_AGENT_CHARACTERS) ?? null,
    createdAtMs: nowMs,
    lastSeenAtMs: nowMs,
  };
  return { secret, record };
}

async function knowDevice(
  { clock, randomBytes }: Pick<LoginDeps, "clock" | "randomBytes">,
  logins: LoginRepository,
  member: Pick<MemberRecord, "id">,
): Promise<string> {
  const nowMs = clock.nowMs();
  const { secret, hash } = createLoginSecret("device", randomBytes);
  await logins.removeDevicesBefore(nowMs);
  await logins.insertDevice({ hash, memberId: member.id, expiresAtMs: nowMs + DEVICE_LIFE_MS });
  return secret;
}

/** How long to wait; else the attempt was counted and may be made. What has to wait counts for nothing. */
async function countAttempt(
  { store }: Pick<LoginDeps, "store">,
  subjects: readonly Subject[],
  nowMs: number,
): Promise<{ readonly waitMs: number } | { readonly attempts: readonly Counted[] }> {
  return await store.transaction(async ({ access: { logins } }) => {
    const found = await logins.findAttempts(subjects.map(({ name }) => name));
    const bySubject = new Map(found.map((each) => [each.subject, each]));
    const wait = Math.max(0, ...found.map((each) => waitMs(each, nowMs)));
    if (wait > 0) return { waitMs: wait };
    await logins.removeAttemptsBefore(nowMs - FORGOTTEN_AFTER_MS);
    const attempts: Counted[] = [];
    for (const subject of subjects) {
      const before = bySubject.get(subject.name);
      const after = { subject: subject.name, ...afterAttempt(subject.kind, before, nowMs) };
      await logins.putAttempt(after);
      attempts.push({ subject, before, after });
    }
    return { attempts };
  });
}

/**
 * After the right password: the account, or the browser, starts anew. The address keeps the failures that it has counted,
 * since one right password must not pay for guesses at others', but this attempt was none: an office that logs in every
 * morning is no attacker.
 */
async function forgive(
  { store }: Pick<LoginDeps, "store">,
  attempts: readonly Counted[],
): Promise<void> {
  await store.transaction(async ({ access: { logins } }) => {
    for (const { subject, before, after } of attempts) {
      const [now] = await logins.findAttempts([subject.name]);
      if (subject.kind !== "address" || now === undefined) {
        await logins.removeAttempts([subject.name]);
      } else if (now.failures !== after.failures || now.lastAtMs !== after.lastAtMs) {
        // Others have tried meanwhile: what they have to wait stays.
        await logins.putAttempt({ ...now, failures: Math.max(0, now.failures - 1) });
      } else if (before === undefined) {
        await logins.removeAttempts([subject.name]);
      } else {
        await logins.putAttempt(before);
      }
    }
  });
}

/** What strangers type is kept as a hash only. */
function hashOf(email: string): string {
  return createHash("sha256").update(email).digest("hex");
}
