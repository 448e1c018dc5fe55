/**
 * Client tokens: what a page in a browser calls with, for minutes. `kwc_<dev|stg|live>_<claims>.<tag>`: the claims are
 * JSON in base64url, the tag is a MAC of everything before the point. Whoever holds a token can read its claims; nobody
 * can alter them, and none of them is a secret. What a token allows is never more than the gateway key it was made under.
 */
import { timingSafeEqual } from "node:crypto";
import { ENVIRONMENT_KINDS, type EnvironmentKind } from "../environments/environment.ts";
import { type ClientTokenId, type EnvironmentId, type GatewayKeyId, isId } from "../ids/ids.ts";
import type { Limit } from "../limits/limit.ts";

export const CLIENT_TOKEN_PREFIXES = {
  development: "kwc_dev_",
  staging: "kwc_stg_",
  production: "kwc_live_",
} as const satisfies Record<EnvironmentKind, string>;

/** Paths below `/v1` that a token can be made for. What lists, reads back or deletes is not among them, for it is not one customer's. */
export const CLIENT_TOKEN_ENDPOINTS = [
  "chat/completions",
  "responses",
  "completions",
  "messages",
  "embeddings",
  "moderations",
  "audio/speech",
  "audio/transcriptions",
  "audio/translations",
  "images/generations",
  "images/edits",
  "images/variations",
  "models",
] as const;
export type ClientTokenEndpoint = (typeof CLIENT_TOKEN_ENDPOINTS)[number];
export const DEFAULT_CLIENT_TOKEN_ENDPOINTS = ["chat/completions", "responses"] as const;

export const DEFAULT_CLIENT_TOKEN_SECONDS = 600;
export const MAX_CLIENT_TOKEN_SECONDS = 3600;
export const MAX_CLIENT_TOKEN_MODELS = 20;
/** Servers and proxies take headers of so much. */
export const MAX_CLIENT_TOKEN_CHARACTERS = 4096;

/** What a token may take by itself, over all processes; null: no such limit. */
type ClientTokenLimits = Pick<Limit, "requestsPerMinute" | "tokensPerMinute" | "concurrency">;

export interface ClientTokenClaims {
  readonly id: ClientTokenId;
  /** The gateway key that it was made under, with which it ends. */
  readonly keyId: GatewayKeyId;
  readonly environmentId: EnvironmentId;
  /** Which of its environment's signing keys has made the tag. */
  readonly signingKey: number;
  /** Where the log of changes stood when it was made: a revocation that comes later there ends it, whatever clocks say. */
  readonly madeAfter: number;
  /** The customer's external id. */
  readonly customer: string;
  readonly feature: string | null;
  readonly models: readonly string[];
  readonly endpoints: readonly ClientTokenEndpoint[];
  readonly limits: ClientTokenLimits;
  readonly expiresAtMs: number;
}

/** A MAC in hex. */
export type SignToken = (text: string) => string;

export function createClientToken(
  kind: EnvironmentKind,
  claims: ClientTokenClaims,
  sign: SignToken,
): string {
  const body = Buffer.from(JSON.stringify(toWritten(claims))).toString("base64url");
  const signed = CLIENT_TOKEN_PREFIXES[kind] + body;
  return `${signed}.${tagOf(signed, sign)}`;
}

/** A token as it was written, before anybody has looked at its tag. */
export interface ReadClientToken {
  readonly claims: ClientTokenClaims;
  readonly kind: EnvironmentKind;
  /** False for a tag that this key has not made. Takes as long for every tag. */
  isSignedBy(sign: SignToken): boolean;
}

export function looksLikeClientToken(text: string): boolean {
  return text.startsWith("kwc_");
}

/** Undefined for everything that `createClientToken` cannot have written. */
export function readClientToken(text: string): ReadClientToken | undefined {
  if (text.length > MAX_CLIENT_TOKEN_CHARACTERS) return undefined;
  const kind = ENVIRONMENT_KINDS.find((one) => text.startsWith(CLIENT_TOKEN_PREFIXES[one]));
  const point = text.indexOf(".");
  if (kind === undefined || point < 0) return undefined;
  const signed = text.slice(0, point);
  const tag = text.slice(point + 1);
  const claims = readClaims(signed.slice(CLIENT_TOKEN_PREFIXES[kind].length));
  if (claims === undefined) return undefined;
  return { claims, kind, isSignedBy: (sign) => isSame(tag, tagOf(signed, sign)) };
}

/** `kwc_live_…7f2a`, with the end of its tag. */
export function previewClientToken(text: string): string {
  const kind = ENVIRONMENT_KINDS.find((one) => text.startsWith(CLIENT_TOKEN_PREFIXES[one]));
  return kind === undefined ? "…" : `${CLIENT_TOKEN_PREFIXES[kind]}…${text.slice(-4)}`;
}

function tagOf(signed: string, sign: SignToken): string {
  return Buffer.from(sign(signed), "hex").toString("base64url");
}

function isSame(tag: string, expected: string): boolean {
  const [given, right] = [Buffer.from(tag), Buffer.from(expected)];
  return given.length === right.length && timingSafeEqual(given, right);
}

/** Short, because a token goes with every call. */
interface WrittenClaims {
  readonly i: string;
  readonly k: string;
  readonly n: string;
  readonly g: number;
  readonly s: number;
  readonly c: string;
  readonly f?: string;
  readonly m: readonly string[];
  readonly e: readonly string[];
  readonly l: readonly (number | null)[];
  readonly x: number;
}

function toWritten(claims: ClientTokenClaims): WrittenClaims {
  const { requestsPerMinute, tokensPerMinute, concurrency } = claims.limits;
  return {
    i: claims.id,
    k: claims.keyId,
    n: claims.environmentId,
    g: claims.signingKey,
    s: claims.madeAfter,
    c: claims.customer,
    ...(claims.feature !== null && { f: claims.feature }),
    m: claims.models,
    e: claims.endpoints,
    l: [requestsPerMinute, tokensPerMinute, concurrency],
    x: claims.expiresAtMs,
  };
}

function readClaims(body: string): ClientTokenClaims | undefined {
  const written = parseWritten(body);
  if (written === undefined) return undefined;
  const { i, k, n, g, s, c, f, m, e, l, x } = written;
  const [requestsPerMinute, tokensPerMinute, concurrency, ...more] = Array.isArray(l) ? l : [];
  const isWhole = [g, s, x].every((one) => Number.isSafeInteger(one));
  const areTexts = [i, k, n, c, f ?? ""].every((one) => typeof one === "string");
  if (!isWhole || !areTexts || more.length > 0) return undefined;
  if (!isId("ctk", i) || !isId("key", k) || !isId("env", n)) return undefined;
  if (!isTextList(m) || !isEndpointList(e)) return undefined;
  if (!isAmount(requestsPerMinute) || !isAmount(tokensPerMinute) || !isAmount(concurrency)) {
    return undefined;
  }
  return {
    id: i,
    keyId: k,
    environmentId: n,
    signingKey: g,
    madeAfter: s,
    customer: c,
    feature: f ?? null,
    models: m,
    endpoints: e,
    limits: { requestsPerMinute, tokensPerMinute, concurrency },
    expiresAtMs: x,
  };
}

/** What stands there; whether it is of the right types is still to be seen. */
function parseWritten(body: string): WrittenClaims | undefined {
  const bytes = Buffer.from(body, "base64url");
  // One spelling for each token: what is cut out of a log and given in again is found.
  if (bytes.toString("base64url") !== body) return undefined;
  try {
    const value: unknown = JSON.parse(bytes.toString("utf8"));
    return typeof value === "object" && value !== null ? (value as WrittenClaims) : undefined;
  } catch {
    return undefined; // Whoever made it up is told the same as whoever altered one.
  }
}

function isAmount(value: unknown): value is number | null {
  return value === null || (Number.isSafeInteger(value) && (value as number) > 0);
}

function isTextList(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((one) => typeof one === "string");
}

function isEndpointList(value: unknown): value is readonly ClientTokenEndpoint[] {
  return (
    Array.isArray(value) &&
    value.every((one) => (CLIENT_TOKEN_ENDPOINTS as readonly unknown[]).includes(one))
  );
}
