/**
 * A backup knows nothing of what happened after it: a key that leaked and was revoked would open the door again. So what
 * was ended in the database that is replaced is ended in the one that takes its place, too.
 */
import type { AuditedStore } from "../../store/audited-store.ts";
import { endAdminToken } from "../../store/end-admin-token.ts";
import { listAll } from "../../store/list-all.ts";
import { type AccessState, readAccessState } from "../../store/sqlite/access-state.ts";
import { MAX_PAGE_SIZE } from "../../store/store.ts";
import { carryOverMembers, type CarriedMembers } from "./carry-over-members.ts";

/** How many of each. */
interface CarriedAccess extends CarriedMembers {
  readonly revokedGatewayKeys: number;
  /** Keys that were rotated since: the secret they have now is the one that holds. */
  readonly rotatedGatewayKeys: number;
  readonly revokedProviderKeys: number;
  readonly revokedAdminTokens: number;
  readonly removedMembers: number;
  readonly earlierKeyEnds: number;
}

export interface RestoredAccess {
  readonly revokedInvitations: number;
  /** Undefined when there is no replaced database, or it can't be read. */
  readonly carried: CarriedAccess | undefined;
}

/** In any case everybody has to log in again. */
export async function carryOverAccess(
  replaced: string | undefined,
  store: AuditedStore,
  atMs: number,
): Promise<RestoredAccess> {
  // A link that was used, or a session that was ended, is as good as new in the backup.
  await store.access.sessions.removeOld({ createdMs: atMs + 1, seenMs: atMs + 1 });
  const revokedInvitations = await endInvitations(store, atMs);
  await store.access.passwordResets.revokeOpen("all", atMs);
  await endClientTokens(store);
  const state = replaced === undefined ? undefined : readAccessState(replaced, atMs);
  if (state === undefined) return { revokedInvitations, carried: undefined };
  const carried: CarriedAccess = {
    rotatedGatewayKeys: await carryOverSecrets(state, store, atMs),
    revokedGatewayKeys: await count(state.revokedGatewayKeys, (id) =>
      store.gatewayKeys.revoke(id, atMs),
    ),
    revokedProviderKeys: await count(state.revokedProviderKeys, (id) =>
      store.providerKeys.revoke(id, atMs),
    ),
    revokedAdminTokens: await count(state.revokedAdminTokens, (id) =>
      endAdminToken(store, id, atMs),
    ),
    removedMembers: await count(state.removedMembers, (id) =>
      store.access.members.remove(id, atMs),
    ),
    earlierKeyEnds: await count(state.keyEnds, (end) => endEarlier(store, end)),
    ...(await carryOverMembers(state, store)),
  };
  return { revokedInvitations, carried };
}

/** Whoever was let in by one since, or removed, must not come by it again. */
async function endInvitations(
  { access: { invitations } }: AuditedStore,
  atMs: number,
): Promise<number> {
  let ended = 0;
  for (;;) {
    const { rows } = await invitations.list({ limit: MAX_PAGE_SIZE });
    if (rows.length === 0) return ended;
    ended += await count(rows, ({ id }) => invitations.revoke(id, atMs));
  }
}

/** Some may have been revoked since; their pages ask for others. */
async function endClientTokens({ environments, exposure }: AuditedStore): Promise<void> {
  for (const { id } of await listAll((page) => environments.list(page))) {
    await exposure.clientTokens.revoke({ kind: "environment", subject: id });
  }
}

/**
 * A key is opened by what opened it last, and by nothing else: apps call with the secrets of later rotations by now, and one that was
 * ended may be why it was. An overlap that runs goes on as long as it was promised.
 */
async function carryOverSecrets(
  { gatewayKeySecrets }: AccessState,
  { gatewayKeys }: AuditedStore,
  nowMs: number,
): Promise<number> {
  return await count([...gatewayKeySecrets], async ([id, secrets]) => {
    const found = await gatewayKeys.findById(id);
    if (found === undefined) return false;
    const hashes = secrets.map(({ hash }) => hash);
    await gatewayKeys.endSuperseded(id, nowMs, hashes);
    // Where the backup's own is none that holds, every one that does is put after it, in their order.
    const own = hashes.indexOf(found.hash);
    let validUntilMs = secrets[own]?.validUntilMs ?? nowMs;
    let isReplaced = false;
    for (const { hash, preview, validUntilMs: next } of secrets.slice(own + 1)) {
      const change = { hash, preview, nowMs, validUntilMs };
      isReplaced = (await gatewayKeys.replaceSecret(id, change)) || isReplaced;
      validUntilMs = next ?? nowMs;
    }
    return isReplaced;
  });
}

async function endEarlier(
  { gatewayKeys }: AuditedStore,
  { id, expiresAtMs }: AccessState["keyEnds"][number],
): Promise<boolean> {
  const found = await gatewayKeys.findById(id);
  if (found === undefined || found.revokedAtMs !== null) return false;
  if (found.expiresAtMs !== null && found.expiresAtMs <= expiresAtMs) return false;
  return await gatewayKeys.update(id, { expiresAtMs });
}

async function count<Item>(
  items: readonly Item[],
  isDone: (item: Item) => Promise<boolean>,
): Promise<number> {
  let done = 0;
  for (const item of items) if (await isDone(item)) done += 1;
  return done;
}
