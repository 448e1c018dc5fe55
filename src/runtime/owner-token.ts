import type { AdminTokenId } from "../core/ids/ids.ts";
import { hashAdminToken, previewAdminToken } from "../core/keys/admin-token.ts";
import type { AdminTokenRecord } from "../store/access-records.ts";

/** The record of a token that may do everything and is nobody's in particular. */
export function ownerTokenRecord(
  token: string,
  about: { readonly id: AdminTokenId; readonly name: string; readonly createdAtMs: number },
): AdminTokenRecord {
  return {
    ...about,
    hash: hashAdminToken(token),
    preview: previewAdminToken(token),
    role: "owner",
    permissions: null,
    environments: null,
    memberId: null,
    createdBy: null,
    madeWith: null,
    expiresAtMs: null,
    lastUsedAtMs: null,
    revokedAtMs: null,
  };
}
