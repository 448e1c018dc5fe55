/**
 * Admin tokens: what the admin API is asked with. `kw_admin_…`, of the same family as gateway keys (issued-secret.ts),
 * so that the same leak scanners find them.
 */
import { createHash } from "node:crypto";
import {
  createIssuedSecret,
  isIssuedSecret,
  previewIssuedSecret,
  type RandomBytes,
} from "./issued-secret.ts";

export const ADMIN_TOKEN_PREFIX = "kw_admin_";

/** A new token; `randomBytes` must be cryptographically strong. */
export function createAdminToken(randomBytes: RandomBytes): string {
  return createIssuedSecret(ADMIN_TOKEN_PREFIX, randomBytes);
}

/** Prefix, length, alphabet and CRC. Whether the token exists is another question. */
export function isAdminToken(text: string): boolean {
  return isIssuedSecret(ADMIN_TOKEN_PREFIX, text);
}

/** For lists: the prefix and the last four characters. */
export function previewAdminToken(text: string): string {
  return previewIssuedSecret(ADMIN_TOKEN_PREFIX, text);
}

/** SHA-256 of the whole token, 64 hex digits. */
export function hashAdminToken(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
