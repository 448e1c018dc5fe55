/** How an admin token ends: with it ends what was made with it and would open the same door again. */
import type { AdminTokenId } from "../core/ids/ids.ts";
import type { Repositories } from "./store.ts";

type Access = Pick<Repositories, "adminTokens" | "access">;

/**
 * Revokes a token and the open links that were made with it. False when there is no such token or it is already revoked. To be
 * called in a transaction: a token must not be gone and its links be left.
 */
export async function endAdminToken(
  repositories: Access,
  id: AdminTokenId,
  atMs: number,
): Promise<boolean> {
  const isRevoked = await repositories.adminTokens.revoke(id, atMs);
  // Those of one that was revoked before, too: it may have been making one at that moment.
  await endLinksMadeWith(repositories, id, atMs);
  return isRevoked;
}

/**
 * The same for a token that somebody has who should not: the tokens that were made with it end as well, and those that were
 * made with these, also by way of one that was revoked before. After a token's end by hand they go on: that is how a token
 * is replaced with its own help.
 */
export async function endStolenAdminToken(
  repositories: Access,
  id: AdminTokenId,
  atMs: number,
): Promise<void> {
  const found = [id];
  for (const each of found) {
    await endAdminToken(repositories, each, atMs);
    for (const made of await repositories.adminTokens.listMadeWith(each)) found.push(made.id);
  }
}

/** Every token there is, and every open link that was made with one; returns how many tokens. */
export async function endAllAdminTokens(repositories: Access, atMs: number): Promise<number> {
  const count = await repositories.adminTokens.revokeAll(atMs);
  await endLinksMadeWith(repositories, "any", atMs);
  return count;
}

async function endLinksMadeWith(
  { access: { invitations, passwordResets } }: Access,
  madeWith: AdminTokenId | "any",
  atMs: number,
): Promise<void> {
  await invitations.revokeOpen({ madeWith }, atMs);
  await passwordResets.revokeOpen({ madeWith }, atMs);
}
