/** What a browser keeps of a login. */
const SESSION = "keyward_session";
const DEVICE = "keyward_device";
const DEVICE_PATH = "/api/v1/login";

/** `__Host-` keeps other hosts of the domain from setting it; browsers take it over https alone. */
const nameOf = (isSecure: boolean): string => (isSecure ? `__Host-${SESSION}` : SESSION);

export interface LoginCookies {
  readonly session: string | undefined;
  readonly device: string | undefined;
}

export function readLoginCookies(header: string | null, isSecure: boolean): LoginCookies {
  const found = new Map<string, string>();
  for (const pair of (header ?? "").split(";")) {
    const [name = "", value] = pair.trim().split("=", 2);
    // The first is the one with the longest path; what comes after it may be planted.
    if (value !== undefined && !found.has(name)) found.set(name, value);
  }
  return { session: found.get(nameOf(isSecure)), device: found.get(DEVICE) };
}

export function sessionCookie(
  value: string,
  { isSecure, maxAgeMs }: { readonly isSecure: boolean; readonly maxAgeMs: number },
): string {
  return format(nameOf(isSecure), value, { isSecure, maxAgeMs, path: "/" });
}

/** Goes to the login alone. */
export function deviceCookie(
  value: string,
  { isSecure, maxAgeMs }: { readonly isSecure: boolean; readonly maxAgeMs: number },
): string {
  return format(DEVICE, value, { isSecure, maxAgeMs, path: DEVICE_PATH });
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
