import { isAdminToken } from "../keys/admin-token.ts";
import { parseGatewayKey } from "../keys/gateway-key.ts";
import { hashLoginSecret } from "../keys/login-secret.ts";

/** Each is a few look-ups, for whoever sends it. */
const MAX_SECRETS = 4;

/** Keyward's own are told by their form, whatever stands before and after them. */
const ISSUED = /kw_[a-z]{2,12}_[0-9A-Za-z]{49}/g;
/** What lets somebody in. The cookie of a known browser does not. */
const LOGIN_SECRETS = ["session", "invitation", "passwordReset"] as const;
/** What providers' secrets and client tokens are made of: they end where a quote, a comma or a name before them does. */
const RUN = /\w[\w.-]{14,}[\w-]/g;

/**
 * What may be a secret in a text that somebody has copied from where one was found: the whole of it, keys that Keyward has
 * issued, and what is as long as a secret and has a digit. It depends on the text alone, not on what is a secret here.
 */
export function secretsInText(text: string): readonly string[] {
  const whole = text.trim().replace(/^bearer +/i, "");
  const issued = (whole.match(ISSUED) ?? []).filter(isIssued);
  const runs = (whole.match(RUN) ?? []).filter((run) => /\d/.test(run));
  return [...new Set([whole, ...issued, ...runs])].slice(0, MAX_SECRETS);
}

function isIssued(text: string): boolean {
  if (parseGatewayKey(text) !== undefined || isAdminToken(text)) return true;
  return LOGIN_SECRETS.some((kind) => hashLoginSecret(kind, text) !== undefined);
}
