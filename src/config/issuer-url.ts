import { isLoopback } from "../core/network/loopback.ts";

/**
 * Whether a text can be an OpenID issuer (OpenID Connect Discovery 1.0, section 3): https, without a query and a fragment.
 * Plain http would let anybody on the way say who somebody is; it never leaves this machine on a loopback address.
 */
export function isIssuerUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname, username, password } = new URL(text);
  const isSafe = protocol === "https:" || (protocol === "http:" && isLoopback(hostname));
  return isSafe && username + password === "" && !/[?#\s]/.test(text);
}
