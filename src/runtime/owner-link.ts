import { invitationLink, makeInvitation } from "../admin/make-invitation.ts";
import type { IdFactory } from "../core/ids/ids.ts";
import type { Repositories, Store } from "../store/store.ts";

export interface OwnerLinkDeps {
  readonly store: Pick<Store, "transaction">;
  readonly ids: Pick<IdFactory, "create">;
  readonly nowMs: () => number;
  readonly randomBytes: (count: number) => Uint8Array;
}

export interface OwnerLink {
  readonly link: string;
  readonly expiresAtMs: number;
}

/** What a start says of the first owner. `isNew`: `link` stands here and nowhere else. */
export type OwnerOffer =
  | ({ readonly isNew: true } & OwnerLink)
  | { readonly isNew: false; readonly expiresAtMs: number };

/** A link that makes whoever opens it first an owner, in place of every such link that is still open. */
export async function createOwnerLink(deps: OwnerLinkDeps, baseUrl: string): Promise<OwnerLink> {
  return await deps.store.transaction((repositories) =>
    replaceOwnerLinks(deps, repositories, baseUrl),
  );
}

/**
 * What to tell while there is no owner; undefined when there is one. A link that an earlier start or command has made and
 * that still works stays as it is: somebody may be about to open it, and a gateway that is started again and again
 * makes no row each time.
 */
export async function offerOwnerLink(
  deps: OwnerLinkDeps,
  baseUrl: string,
): Promise<OwnerOffer | undefined> {
  return await deps.store.transaction(async (repositories) => {
    const { members, invitations } = repositories.access;
    if ((await members.countOwners()) > 0) return undefined;
    const open = await invitations.findOpenOwnerLink(deps.nowMs());
    if (open !== undefined) return { isNew: false, expiresAtMs: open.expiresAtMs };
    return { isNew: true, ...(await replaceOwnerLinks(deps, repositories, baseUrl)) };
  });
}

async function replaceOwnerLinks(
  { ids, nowMs, randomBytes }: OwnerLinkDeps,
  { access: { invitations } }: Pick<Repositories, "access">,
  baseUrl: string,
): Promise<OwnerLink> {
  const about = {
    email: null,
    role: "owner",
    environments: null,
    createdBy: "local",
    madeWith: null,
  } as const;
  const { record, secret } = makeInvitation({ ids, clock: { nowMs }, randomBytes }, about);
  await invitations.revokeOpen({ email: null }, nowMs());
  await invitations.insert(record);
  return { link: invitationLink(baseUrl, secret), expiresAtMs: record.expiresAtMs };
}
