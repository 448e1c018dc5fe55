import { createLoginSecret, hashLoginSecret } from "../core/keys/login-secret.ts";
import type { MemberRecord, PasswordResetRecord } from "../store/access-records.ts";
import type { AccessRepositories } from "../store/access-repositories.ts";
import type { AdminDeps } from "./admin-deps.ts";
import type { JoinedFrom } from "./join-by-invitation.ts";

/** Shorter than an invitation's: it opens an account that is in use. */
const LIFE_MS = 86_400_000;

/** A link's record, and its secret, which exists in clear here and in the link alone. */
export function makePasswordReset(
  { ids, clock, randomBytes }: Pick<AdminDeps, "ids" | "clock" | "randomBytes">,
  about: Pick<PasswordResetRecord, "memberId" | "createdBy" | "madeWith">,
): { readonly record: PasswordResetRecord; readonly secret: string } {
  const nowMs = clock.nowMs();
  const { secret, hash } = createLoginSecret("passwordReset", randomBytes);
  const record: PasswordResetRecord = {
    ...about,
    id: ids.create("pwr"),
    hash,
    createdAtMs: nowMs,
    expiresAtMs: nowMs + LIFE_MS,
    usedAtMs: null,
    revokedAtMs: null,
  };
  return { record, secret };
}

/** Where the member opens it. The secret is in the fragment, which browsers send to no server and no log. */
export function passwordResetLink(baseUrl: string, secret: string): string {
  return `${baseUrl}/reset#${secret}`;
}

/**
 * Sets the password of the member whose link it is. All that was let in before is out: sessions, known browsers, other links. Undefined
 * for a link that does nothing. The password is hashed for valid links only, and outside of the transaction that others wait for.
 */
export async function resetPassword(
  { store, clock, passwords }: Pick<AdminDeps, "store" | "clock" | "passwords">,
  { secret, password }: { readonly secret: string; readonly password: string },
  from: JoinedFrom,
): Promise<MemberRecord | undefined> {
  const hash = hashLoginSecret("passwordReset", secret);
  const found = hash && (await store.access.passwordResets.findByHash(hash));
  if (!found || !isOpen(found, clock.nowMs())) return undefined;
  const owner = await store.access.members.findById(found.memberId);
  if (owner?.removedAtMs !== null) return undefined;
  const passwordHash = await passwords.hash(password);
  // Nobody is logged in yet: whose link it is does it.
  const actor = { kind: "member", id: owner.id, name: owner.email } as const;
  return await store.as({ ...from, actor }, () =>
    store.transaction(async ({ access }) => {
      const nowMs = clock.nowMs();
      if (!(await access.passwordResets.use(found.id, nowMs))) return undefined;
      await access.members.update(owner.id, { passwordHash });
      await access.logins.removeDevicesOf(owner.id);
      await signOutEverywhere(access, owner.id, nowMs);
      return { ...owner, passwordHash };
    }),
  );
}

/** Ends every session of the member, and the links that would open another; says how many sessions. */
export async function signOutEverywhere(
  { sessions, passwordResets }: Pick<AccessRepositories, "sessions" | "passwordResets">,
  memberId: MemberRecord["id"],
  atMs: number,
): Promise<number> {
  await passwordResets.revokeOpen({ memberId }, atMs);
  return await sessions.removeOf(memberId);
}

function isOpen(record: PasswordResetRecord, nowMs: number): boolean {
  const { usedAtMs, revokedAtMs, expiresAtMs } = record;
  return usedAtMs === null && revokedAtMs === null && expiresAtMs > nowMs;
}
