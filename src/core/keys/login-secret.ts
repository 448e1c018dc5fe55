/**
 * Secrets that let a person in: the value of a session's cookie, the one-time secret of an invitation's link, the cookie
 * of a known browser. Of the same family as every secret that Keyward issues (issued-secret.ts), and kept as a hash.
 */
import { createHash } from "node:crypto";
import { createIssuedSecret, isIssuedSecret, type RandomBytes } from "./issued-secret.ts";

const PREFIXES = {
  session: "kw_session_",
  invitation: "kw_invite_",
  device: "kw_device_",
} as const;
export type LoginSecretKind = keyof typeof PREFIXES;

export function createLoginSecret(kind: LoginSecretKind, randomBytes: RandomBytes): string {
  return createIssuedSecret(PREFIXES[kind], randomBytes);
}

/** SHA-256, hex; undefined for what Keyward cannot have issued, which is not worth a look-up. */
export function hashLoginSecret(kind: LoginSecretKind, text: string): string | undefined {
  if (!isIssuedSecret(PREFIXES[kind], text)) return undefined;
  return createHash("sha256").update(text).digest("hex");
}
