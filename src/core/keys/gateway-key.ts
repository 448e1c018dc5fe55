/**
 * Gateway keys: what an application sends instead of a provider's key. `kw_<dev|stg|live>_…`, see issued-secret.ts for
 * the rest. The key itself is shown once; kept are its SHA-256 and its preview.
 */
import { hash } from "node:crypto";
import { ENVIRONMENT_KINDS, type EnvironmentKind } from "../environments/environment.ts";
import {
  createIssuedSecret,
  isIssuedSecret,
  previewIssuedSecret,
  type RandomBytes,
} from "./issued-secret.ts";

export const GATEWAY_KEY_PREFIXES = {
  development: "kw_dev_",
  staging: "kw_stg_",
  production: "kw_live_",
} as const satisfies Record<EnvironmentKind, string>;

/** What a well-formed key says of itself. Whether it exists is another question. */
export interface ParsedGatewayKey {
  readonly environmentKind: EnvironmentKind;
}

/** A new key for an environment of this kind; `randomBytes` must be cryptographically strong. */
export function createGatewayKey(kind: EnvironmentKind, randomBytes: RandomBytes): string {
  return createIssuedSecret(GATEWAY_KEY_PREFIXES[kind], randomBytes);
}

/** Undefined for everything that `createGatewayKey` cannot have made: prefix, length, alphabet and CRC are checked. */
export function parseGatewayKey(text: string): ParsedGatewayKey | undefined {
  const environmentKind = kindOf(text);
  if (environmentKind === undefined) return undefined;
  if (!isIssuedSecret(GATEWAY_KEY_PREFIXES[environmentKind], text)) return undefined;
  return { environmentKind };
}

/** SHA-256 of the whole key, 64 hex digits. A plain hash is enough: the key has 256 random bits. */
export function hashGatewayKey(text: string): string {
  return hash("sha256", text, "hex");
}

/** `kw_dev_…x7Qz`. For text that is no gateway key, only `…`. */
export function previewGatewayKey(text: string): string {
  const kind = kindOf(text);
  return kind === undefined ? "…" : previewIssuedSecret(GATEWAY_KEY_PREFIXES[kind], text);
}

function kindOf(text: string): EnvironmentKind | undefined {
  for (const kind of ENVIRONMENT_KINDS) {
    if (text.startsWith(GATEWAY_KEY_PREFIXES[kind])) return kind;
  }
  return undefined;
}
