import { createTokenAuthenticator, type Authenticator } from "../admin/authenticator.ts";
import type { Config } from "../config/config-schema.ts";
import type { AdminTokenRepository } from "../store/access-repositories.ts";
import { withinDeadline } from "./within-deadline.ts";

/** As long as the data plane waits for the look-up of a key. */
const DEADLINE_MS = 5_000;

/** The authenticator of a running server: it gives up on a store that keeps silent, before its driver does. */
export function createAdminAuthenticator(
  adminTokens: Pick<AdminTokenRepository, "findActiveByHash">,
  { adminToken }: Pick<Config, "adminToken">,
): Authenticator {
  return createTokenAuthenticator({
    adminTokens: {
      findActiveByHash: (hash) => withinDeadline(DEADLINE_MS, adminTokens.findActiveByHash(hash)),
    },
    extraToken: adminToken ?? undefined,
  });
}
