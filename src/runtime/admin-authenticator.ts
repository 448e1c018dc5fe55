import { createTokenAuthenticator, type Authenticator } from "../admin/authenticator.ts";
import type { Config } from "../config/config-schema.ts";
import type { AdminTokenRepository } from "../store/store.ts";
import { withinDeadline } from "./within-deadline.ts";

/** The authenticator of a running server: it gives up on a store that keeps silent, before its driver does. */
export function createAdminAuthenticator(
  adminTokens: Pick<AdminTokenRepository, "findActiveByHash">,
  { adminToken }: Pick<Config, "adminToken">,
  deadlineMs: number,
): Authenticator {
  return createTokenAuthenticator({
    adminTokens: {
      findActiveByHash: (hash) => withinDeadline(deadlineMs, adminTokens.findActiveByHash(hash)),
    },
    extraToken: adminToken ?? undefined,
  });
}
