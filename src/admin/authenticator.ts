import { createHash, timingSafeEqual } from "node:crypto";
import { type Principal, principalOf } from "../core/access/principal.ts";
import { hashAdminToken, isAdminToken } from "../core/keys/admin-token.ts";
import type { AdminTokenRepository } from "../store/access-repositories.ts";

/** Decides who may use the admin API. */
export interface Authenticator {
  /** False for one that lets everybody in: an app with it must never be reachable over HTTP. */
  readonly checksTokens: boolean;
  /**
   * Who asks. Undefined for whom it does not let in, never why. `authorization`: the header's value. Rejects when the
   * store does not answer.
   */
  identify(authorization: string | null): Promise<Principal | undefined>;
}

const LOCAL_OWNER = principalOf("owner", { kind: "system", id: "local", name: "local" });

/**
 * For calls inside the process that already owns the data directory (the CLI): whoever can read the root key and the
 * database needs no token. `createAdminServer` refuses an app that uses it.
 */
export const TRUST_CALLER: Authenticator = Object.freeze({
  checksTokens: false,
  identify: () => Promise.resolve(LOCAL_OWNER),
});

/** By the setting that it comes from. */
const EXTRA_TOKEN_NAME = "KEYWARD_ADMIN_TOKEN";
/** Longer ones are not tokens; this bounds what is hashed for a stranger. */
const MAX_TOKEN_CHARACTERS = 512;
const BEARER_PATTERN = /^bearer +([\x21-\x7e]+) *$/i;

export interface TokenSources {
  readonly adminTokens: Pick<AdminTokenRepository, "findActiveByHash">;
  /** One more token besides those in the store (`KEYWARD_ADMIN_TOKEN`). */
  readonly extraToken?: string | undefined;
}

/**
 * Accepts `Bearer <token>` where the token is the extra one or an active one of the store. Tokens are compared as
 * SHA-256, the extra one in constant time; the store is asked by hash, so that what its index reveals by timing is
 * the prefix of a hash that the caller cannot choose.
 */
export function createTokenAuthenticator({ adminTokens, extraToken }: TokenSources): Authenticator {
  const extraDigest = extraToken === undefined ? undefined : digestOf(extraToken);
  return {
    checksTokens: true,
    async identify(authorization) {
      const token = readBearerToken(authorization);
      if (token === undefined) return undefined;
      const digest = digestOf(token);
      if (extraDigest !== undefined && timingSafeEqual(digest, extraDigest)) {
        return principalOf("owner", {
          kind: "token",
          id: EXTRA_TOKEN_NAME,
          name: EXTRA_TOKEN_NAME,
        });
      }
      // What Keyward cannot have issued is not worth a look-up: a flood of guesses stays off the database.
      if (!isAdminToken(token)) return undefined;
      const found = await adminTokens.findActiveByHash(hashAdminToken(token));
      return found && principalOf("owner", { kind: "token", id: found.id, name: found.name });
    },
  };
}

function readBearerToken(authorization: string | null): string | undefined {
  const token = BEARER_PATTERN.exec(authorization ?? "")?.[1];
  return token !== undefined && token.length <= MAX_TOKEN_CHARACTERS ? token : undefined;
}

function digestOf(token: string): Buffer {
  return createHash("sha256").update(token).digest();
}
