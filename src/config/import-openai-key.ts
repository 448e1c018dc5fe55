import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseEnv } from "node:util";
import { isKeywardKey } from "../core/keys/provider-key.ts";
import type { Environment } from "./process-environment.ts";

export interface OpenaiKeySources {
  readonly env: Environment;
  /** `.env.local` and `.env` are looked for here. */
  readonly cwd: string;
  /** Where this Keyward listens: a base URL that leads there is the app's own line for Keyward. */
  readonly own: { readonly host: string; readonly port: number };
}

export interface FoundOpenaiKey {
  readonly secret: string;
  /** `the process environment`, `.env.local` or `.env`. */
  readonly where: string;
  /** Of the server that the key is for, without a trailing slash; null = OpenAI itself. */
  readonly baseUrl: string | null;
  readonly baseUrlWhere: string | null;
}

/** A place that was looked at and gave nothing, where that is worth a word. Holds no secret. */
export interface SkippedPlace {
  readonly where: string;
  readonly reason: string;
}

export interface OpenaiKeySearch {
  readonly found: FoundOpenaiKey | undefined;
  readonly skipped: readonly SkippedPlace[];
}

const KEY_NAME = "OPENAI_API_KEY";
const URL_NAME = "OPENAI_BASE_URL";
const FILES = [".env.local", ".env"] as const;
const MAX_FILE_BYTES = 1024 * 1024;

/**
 * Finds the key that the app in this directory uses today: first the process environment, then `.env.local`, then
 * `.env`, each variable by itself, as the loaders of such files do. Changes nothing.
 */
export function findOpenaiKey({ env, cwd, own }: OpenaiKeySources): OpenaiKeySearch {
  const skipped: SkippedPlace[] = [];
  const places = [
    { where: "the process environment", values: env },
    ...FILES.map((name) => ({ where: name, values: readEnvFile(cwd, name, skipped) })),
  ];
  let key: { secret: string; where: string } | undefined;
  let base: { url: string; where: string } | undefined;
  for (const { where, values } of places) {
    const secret = values[KEY_NAME]?.trim() ?? "";
    const reason = secret === "" ? undefined : reasonToSkipKey(secret);
    if (reason !== undefined) skipped.push({ where, reason: `${KEY_NAME} ${reason}` });
    else if (secret !== "") key ??= { secret, where };

    const url = (values[URL_NAME]?.trim() ?? "").replace(/\/+$/, "");
    const fault = url === "" ? undefined : reasonToSkipUrl(url, own);
    if (fault !== undefined) skipped.push({ where, reason: `${URL_NAME} ${fault}` });
    else if (url !== "") base ??= { url, where };
  }
  if (key === undefined) return { found: undefined, skipped };
  return {
    found: { ...key, baseUrl: base?.url ?? null, baseUrlWhere: base?.where ?? null },
    skipped,
  };
}

function readEnvFile(cwd: string, name: string, skipped: SkippedPlace[]): Environment {
  let text: string;
  try {
    text = readFileSync(join(cwd, name), "utf8");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== "ENOENT") skipped.push({ where: name, reason: `cannot be read (${code})` });
    return {};
  }
  if (text.length > MAX_FILE_BYTES) {
    skipped.push({ where: name, reason: `is larger than ${MAX_FILE_BYTES} bytes` });
    return {};
  }
  return parseEnv(text);
}

/** What stands in examples and templates in place of a key. */
const PLACEHOLDER =
  /^(sk-)?(proj-)?(x+|\.+|…|\*+|<.*>|\[.*\]|\{.*\}|\$\{?.*\}?|your\b.*|your[-_].*|.*[-_ ]here|change[-_ ]?me|todo|replace.*|placeholder|example|secret|key|api[-_ ]?key)$/i;

function reasonToSkipKey(secret: string): string | undefined {
  if (isKeywardKey(secret)) return "is a Keyward key, the app's own line for Keyward";
  if (PLACEHOLDER.test(secret)) return "is a placeholder, not a key";
  if (!/^[\x21-\x7e]{1,4096}$/.test(secret)) return "holds characters that no key has";
  return undefined;
}

function reasonToSkipUrl(text: string, own: OpenaiKeySources["own"]): string | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) return "is not a URL";
  const port = url.port === "" ? (url.protocol === "https:" ? 443 : 80) : Number(url.port);
  if (port !== own.port) return undefined;
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
  return isThisMachine(host) || host === own.host ? "is this Keyward's own address" : undefined;
}

function isThisMachine(host: string): boolean {
  return (
    host === "localhost" || host === "0.0.0.0" || host.startsWith("127.") || /^::1?$/.test(host)
  );
}
