import { invitationLink, makeInvitation } from "../admin/make-invitation.ts";
import type { IdFactory } from "../core/ids/ids.ts";
import type { Store } from "../store/store.ts";

export interface OwnerLinkDeps {
  readonly store: Pick<Store, "transaction">;
  readonly ids: Pick<IdFactory, "create">;
  readonly nowMs: () => number;
  readonly randomBytes: (count: number) => Uint8Array;
}

/** A link that makes whoever opens it first an owner, in place of every such link that is still open. */
export async function createOwnerLink(
  { store, ids, nowMs, randomBytes }: OwnerLinkDeps,
  baseUrl: string,
): Promise<{ readonly link: string; readonly expiresAtMs: number }> {
  const about = { email: null, role: "owner", environments: null, createdBy: "local" } as const;
  const { record, secret } = makeInvitation({ ids, clock: { nowMs }, randomBytes }, about);
  await store.transaction(async ({ access: { invitations } }) => {
    await invitations.revokeOwnerLinks(nowMs());
    await invitations.insert(record);
  });
  return { link: invitationLink(baseUrl, secret), expiresAtMs: record.expiresAtMs };
}
