import { createLoginSecret } from "../core/keys/login-secret.ts";
import type { InvitationRecord } from "../store/access-records.ts";
import type { AdminDeps } from "./admin-deps.ts";

const DAY_MS = 86_400_000;
const LIFE_MS = 3 * DAY_MS;

/** An invitation, and the secret of its link: that exists in clear here and in the link alone. */
export function makeInvitation(
  { ids, clock, randomBytes }: Pick<AdminDeps, "ids" | "clock" | "randomBytes">,
  about: Pick<InvitationRecord, "email" | "role" | "environments" | "createdBy" | "madeWith">,
): { readonly record: InvitationRecord; readonly secret: string } {
  const nowMs = clock.nowMs();
  const { secret, hash } = createLoginSecret("invitation", randomBytes);
  const record: InvitationRecord = {
    ...about,
    id: ids.create("inv"),
    hash,
    createdAtMs: nowMs,
    expiresAtMs: nowMs + LIFE_MS,
    acceptedAtMs: null,
    revokedAtMs: null,
  };
  return { record, secret };
}

/** Where somebody opens the invitation. The secret is in the fragment, which browsers send to no server and no log. */
export function invitationLink(baseUrl: string, secret: string): string {
  return `${baseUrl.replace(/\/+$/, "")}/join#${secret}`;
}
