/** What can be said of a provider's secret by looking at its first characters. Nothing here asks a provider. */
import { ADMIN_TOKEN_PREFIX } from "./admin-token.ts";
import { CLIENT_TOKEN_PREFIXES } from "./client-token.ts";
import { GATEWAY_KEY_PREFIXES } from "./gateway-key.ts";

/** Prefixes that name a key's type and nothing secret; the longest that fits is shown. */
const TYPE_PREFIXES = [
  "sk-svcacct-",
  "sk-proj-",
  "sk-None-",
  "sk-admin-",
  "sk-ant-api03-",
  "sk-ant-",
  "sk-or-v1-",
  "sk-",
] as const;

const SHOWN_CHARACTERS = 4;
/** Four characters of a shorter secret would be too large a part of it. */
const MIN_HIDDEN_CHARACTERS = 16;

/** `sk-proj-…9fQa`: type prefix and last four. Of a short secret only the prefix. */
export function previewProviderKey(secret: string): string {
  const prefix = TYPE_PREFIXES.find((candidate) => secret.startsWith(candidate)) ?? "";
  const hidden = secret.length - prefix.length - SHOWN_CHARACTERS;
  return `${prefix}…${hidden >= MIN_HIDDEN_CHARACTERS ? secret.slice(-SHOWN_CHARACTERS) : ""}`;
}

/**
 * Whether the text is, or was meant to be, a secret that Keyward issued. By prefix alone: a damaged gateway key is no
 * provider key either, and must not be stored or sent as one.
 */
export function isKeywardKey(text: string): boolean {
  return ISSUED_PREFIXES.some((prefix) => text.startsWith(prefix));
}

const ISSUED_PREFIXES: readonly string[] = [
  ...Object.values(GATEWAY_KEY_PREFIXES),
  ...Object.values(CLIENT_TOKEN_PREFIXES),
  ADMIN_TOKEN_PREFIX,
];
