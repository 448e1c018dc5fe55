import type { IdFactory } from "../core/ids/ids.ts";
import { createAdminToken } from "../core/keys/admin-token.ts";
import { endAllAdminTokens } from "../store/end-admin-token.ts";
import type { Store } from "../store/store.ts";
import { ownerTokenRecord } from "./owner-token.ts";

export interface RotateAdminTokenDeps {
  readonly store: Pick<Store, "transaction">;
  readonly ids: Pick<IdFactory, "create">;
  readonly nowMs: () => number;
  readonly randomBytes: (count: number) => Uint8Array;
}

export interface AdminTokenRotation {
  /** In clear, this once. */
  readonly token: string;
  /** How many tokens were revoked. */
  readonly revoked: number;
}

/** A new admin token in place of all there are, in one transaction: there is never none, and never an old one left, nor an open link that was made with one. */
export async function rotateAdminToken(deps: RotateAdminTokenDeps): Promise<AdminTokenRotation> {
  const token = createAdminToken(deps.randomBytes);
  const nowMs = deps.nowMs();
  const revoked = await deps.store.transaction(async (repositories) => {
    const count = await endAllAdminTokens(repositories, nowMs);
    const about = { id: deps.ids.create("adm"), name: "rotated admin token", createdAtMs: nowMs };
    await repositories.adminTokens.insert(ownerTokenRecord(token, about));
    return count;
  });
  return { token, revoked };
}
