import type { LoginChecks } from "./identity-provider.ts";

/** What a browser keeps of a login. */
const SESSION = "keyward_session";
const DEVICE = "keyward_device";
const CHECKS = "keyward_checks";
const LOGIN_PATH = "/api/v1/login";

/** `__Host-` keeps other hosts of the domain from setting it; browsers take it over https alone, for every path. */
const nameOf = (name: string, isSecure: boolean): string => (isSecure ? `__Host-${name}` : name);

/** A login that is with the identity provider. */
export interface LoginUnderWay extends LoginChecks {
  /** The secret of the link that it was begun with. */
  readonly invitation: string | undefined;
}

/** Nobody types a password for longer. */
const CHECKS_LIFE_MS = 10 * 60_000;

export interface LoginCookies {
  readonly session: string | undefined;
  readonly device: string | undefined;
  readonly underWay: LoginUnderWay | undefined;
}

export function readLoginCookies(header: string | null, isSecure: boolean): LoginCookies {
  const found = new Map<string, string>();
  for (const pair of (header ?? "").split(";")) {
    const [name = "", value] = pair.trim().split("=", 2);
    // The first is the one with the longest path; what comes after it may be planted.
    if (value !== undefined && !found.has(name)) found.set(name, value);
  }
  return {
    session: found.get(nameOf(SESSION, isSecure)),
    device: found.get(DEVICE),
    underWay: parseChecks(found.get(nameOf(CHECKS, isSecure))),
  };
}

export function sessionCookie(
  value: string,
  { isSecure, maxAgeMs }: { readonly isSecure: boolean; readonly maxAgeMs: number },
): string {
  return format(nameOf(SESSION, isSecure), value, { isSecure, maxAgeMs, path: "/" });
}

/** Goes to the login alone. */
export function deviceCookie(
  value: string,
  { isSecure, maxAgeMs }: { readonly isSecure: boolean; readonly maxAgeMs: number },
): string {
  return format(DEVICE, value, { isSecure, maxAgeMs, path: LOGIN_PATH });
}

/**
 * Comes back with the browser from the identity provider. It is not signed: nothing in it is believed. The state has to be
 * the one that comes back, the nonce that of the signed ID token, the verifier what the provider knows the hash of, and the
 * invitation a secret that is known. Undefined: it has done its work.
 */
export function checksCookie(underWay: LoginUnderWay | undefined, isSecure: boolean): string {
  const { state, nonce, verifier, invitation } = underWay ?? {};
  const parts = [state, nonce, verifier, invitation].filter((part) => part !== undefined);
  return format(nameOf(CHECKS, isSecure), parts.join("."), {
    isSecure,
    maxAgeMs: underWay === undefined ? 0 : CHECKS_LIFE_MS,
    path: isSecure ? "/" : LOGIN_PATH,
  });
}

const CHECKS_PATTERN = /^([\w-]{16,128})\.([\w-]{16,128})\.([\w-]{43,128})(?:\.(\w{1,128}))?$/;

function parseChecks(text: string | undefined): LoginUnderWay | undefined {
  const [, state, nonce, verifier, invitation] = CHECKS_PATTERN.exec(text ?? "") ?? [];
  if (state === undefined || nonce === undefined || verifier === undefined) return undefined;
  return { state, nonce, verifier, invitation };
}

function format(
  name: string,
  value: string,
  about: { readonly isSecure: boolean; readonly maxAgeMs: number; readonly path: string },
): string {
  const seconds = Math.floor(about.maxAgeMs / 1000);
  const secure = about.isSecure ? "; Secure" : "";
  return `${name}=${value}; Path=${about.path}; Max-Age=${seconds}; HttpOnly; SameSite=Lax${secure}`;
}
