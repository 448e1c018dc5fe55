/**
 * Secrets of ours that somebody found where they should not be: what they can be, and what becomes of them. Nothing in
 * this folder ever holds the secret.
 */
import type { RuleMode } from "../policy/environment-policy.ts";

/**
 * `providerAdminKey`: of an account, with which its provider is asked for keys. `session`: the cookie of somebody who is logged in;
 * `invitation`: a link that makes a member; `passwordReset`: one by which a member sets a new password.
 */
export const LEAKED_KINDS = [
  "gatewayKey",
  "providerKey",
  "providerAdminKey",
  "adminToken",
  "clientToken",
  "session",
  "invitation",
  "passwordReset",
] as const;
export type LeakedKind = (typeof LEAKED_KINDS)[number];

/**
 * `old_secret_ended`: a secret that the key had before its last rotation is refused from now on, the key's own goes on.
 * `old_secret_valid`: a provider's secret from before the key's last rotation, which the provider may still take: somebody is told.
 * `still_valid`: somebody is told. `noted`: nobody is.
 */
export const LEAK_OUTCOMES = [
  "revoked",
  "old_secret_ended",
  "old_secret_valid",
  "still_valid",
  "noted",
] as const;
export type LeakOutcome = (typeof LEAK_OUTCOMES)[number];

/** What becomes of a gateway key, by the mode of its environment's rule `leaked_keys`. */
export function gatewayKeyOutcome(mode: RuleMode, isOldSecret: boolean): LeakOutcome {
  if (mode === "off") return "noted";
  if (mode === "warn") return "still_valid";
  return isOldSecret ? "old_secret_ended" : "revoked";
}
