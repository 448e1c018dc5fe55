/**
 * Secrets that let a person in: the value of a session's cookie, the one-time secret of a link (an invitation, a new
 * password), the cookie of a known browser. Of the same family as every secret that Keyward issues (issued-secret.ts), and kept as a hash.
 */
import { createHash } from "node:crypto";
import { createIssuedSecret, isIssuedSecret, type RandomBytes } from "./issued-secret.ts";

const PREFIXES = {
  session: "kw_session_",
  invitation: "kw_invite_",
  passwordReset: "kw_reset_",
  device: "kw_device_",
} as const;
export type LoginSecretKind = keyof typeof PREFIXES;

/** The secret, which goes to its person and is kept nowhere, and the hash that is kept of it. */
export function createLoginSecret(
  kind: LoginSecretKind,
  randomBytes: RandomBytes,
): { readonly secret: string; readonly hash: string } {
  const secret = createIssuedSecret(PREFIXES[kind], randomBytes);
  return { secret, hash: sha256(secret) };
}

/** SHA-256, hex; undefined for what Keyward cannot have issued, which is not worth a look-up. */
export function hashLoginSecret(kind: LoginSecretKind, text: string): string | undefined {
  return isIssuedSecret(PREFIXES[kind], text) ? sha256(text) : undefined;
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
