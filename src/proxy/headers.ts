/**
 * Which headers cross the gateway, in which direction. Everything that is not named here passes.
 */
import { formatTraceparent, type TraceContext } from "../telemetry/trace-context.ts";
import type { SecretMask } from "./answers/secret-mask.ts";
import type { GatewayRequest } from "./gateway-request.ts";
import type { HeaderFields } from "./http/header-fields.ts";
import { COMMON_NAMES } from "./http/header-names.ts";
import type { ReadyFields } from "./http/ready-fields.ts";
import type { ProviderRoute } from "./snapshot.ts";

/** RFC 9110, section 7.6.1: they describe one connection, not the message. */
const HOP_BY_HOP = [
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
];

/**
 * Never sent to a provider: the client's own credentials (they are Keyward's) and account choice, what names the
 * client's network, and what the gateway sets itself.
 */
const NOT_TO_PROVIDER: ReadonlySet<string> = new Set([
  ...HOP_BY_HOP,
  "authorization",
  "api-key",
  "x-api-key",
  "x-goog-api-key",
  "ocp-apim-subscription-key",
  "sec-websocket-protocol",
  "cookie",
  "openai-organization",
  "openai-project",
  "host",
  "content-length",
  "expect",
  "forwarded",
  "via",
  "x-forwarded-for",
  "x-forwarded-host",
  "x-forwarded-port",
  "x-forwarded-proto",
  "x-real-ip",
  "x-client-ip",
  "true-client-ip",
  "cf-connecting-ip",
  "origin",
  "referer",
]);

/** Never sent back: cookies and transport promises are the provider's business with us, not with the client. */
const NOT_TO_CLIENT: ReadonlySet<string> = new Set([
  ...HOP_BY_HOP,
  "set-cookie",
  "alt-svc",
  "strict-transport-security",
  "report-to",
  "nel",
]);

const TRACE_HEADERS: ReadonlySet<string> = new Set(["traceparent", "tracestate"]);

const KEYWARD_KEY = /kw_(?:dev|stg|live|admin)_/;
const MIN_KEY_CHARACTERS = "kw_dev_".length;

const OWN_PREFIX = "x-keyward-";

/** Of the names that most messages have it is known beforehand: a look-up in place of as many tests as there are rules. */
const COMMON_WITHHELD = new Map(COMMON_NAMES.map((name) => [name as string, isWithheld(name)]));
const COMMON_PASSAGES = new Map(COMMON_NAMES.map((name) => [name as string, passageOf(name)]));

export interface UpstreamHeaderOptions {
  /** Bytes of the body where it is known; undefined = streamed as it comes. */
  readonly contentLength: number | undefined;
  /** Asks the provider not to compress, because the answer is going to be read. */
  readonly isAnswerRead: boolean;
  /** Takes the place of the client's own; undefined while tracing is off. */
  readonly trace: TraceContext | undefined;
}

/** A flat list of names and values for the provider. */
export function createUpstreamHeaders(
  request: GatewayRequest,
  route: ProviderRoute,
  options: UpstreamHeaderOptions,
): string[] {
  const nominated = nominatedHeaders(request.headers.get("connection"));
  const { names, values } = request.headers;
  const headers: string[] = [];
  for (let i = 0; i < names.length; i += 1) {
    const name = names[i] as string;
    if (COMMON_WITHHELD.get(name) ?? isWithheld(name)) continue;
    if (name === "accept-encoding" && options.isAnswerRead) continue;
    if (options.trace !== undefined && TRACE_HEADERS.has(name)) continue;
    if (nominated?.has(name)) continue;
    const value = values[i] as string;
    // Wherever a client has put its Keyward key besides, it is no business of the provider.
    if (value.length >= MIN_KEY_CHARACTERS && value.includes("kw_") && KEYWARD_KEY.test(value)) {
      continue;
    }
    headers.push(name, value);
  }
  if (options.isAnswerRead) headers.push("accept-encoding", "identity");
  if (options.contentLength !== undefined) {
    headers.push("content-length", String(options.contentLength));
  }
  if (options.trace !== undefined) pushTrace(headers, options.trace);
  for (const [name, value] of route.provider.defaultHeaders ?? []) {
    if (!request.headers.has(name)) headers.push(name, value);
  }
  for (const [name, value] of route.authHeaders) headers.push(name, value);
  return headers;
}

/** From providers: by its name, in either spelling. */
function isWithheld(name: string): boolean {
  // A server that reads underscores as hyphens (CGI and its heirs do) would take it for one of those.
  const read = name.replaceAll("_", "-");
  return NOT_TO_PROVIDER.has(read) || read.startsWith(OWN_PREFIX);
}

function pushTrace(headers: string[], trace: TraceContext): void {
  headers.push("traceparent", formatTraceparent(trace));
  if (trace.traceState !== null) headers.push("tracestate", trace.traceState);
}

export interface ClientHeaderOptions {
  /** The body that goes out is not byte for byte the one that came in. */
  readonly isBodyChanged: boolean;
  /** The body's encoding was taken off. */
  readonly isDecoded: boolean;
  /** What the client is sent besides. */
  readonly ready?: ReadyFields | undefined;
  readonly mask?: SecretMask | undefined;
}

/** A flat list of names and values for the client. */
export function createClientHeaders(
  upstream: HeaderFields,
  own: readonly string[],
  options: ClientHeaderOptions,
): string[] {
  const nominated = nominatedHeaders(upstream.get("connection"));
  const { names, values } = upstream;
  const headers: string[] = [...own];
  for (let i = 0; i < names.length; i += 1) {
    const name = names[i] as string;
    const passage = COMMON_PASSAGES.get(name) ?? passageOf(name);
    if (passage === "never") continue;
    if (nominated?.has(name) || options.mask?.isInName(name) === true) continue;
    if (passage === "unless-own" && (own.includes(name) || options.ready?.has(name))) continue;
    if (passage === "as-encoding" && options.isDecoded) continue;
    if (passage === "as-length" && (options.isBodyChanged || options.isDecoded)) continue;
    const value = values[i] as string;
    headers.push(name, options.mask?.text(value) ?? value);
  }
  return headers;
}

/**
 * How a field of an answer gets to the client. `unless-own`: where Keyward's own says something else, it is that which
 * the client can go by: a limit that counts the call, say. The encoding and the length hold for the body as it came.
 */
type Passage = "always" | "never" | "unless-own" | "as-encoding" | "as-length";

function passageOf(name: string): Passage {
  if (name === "content-length") return "as-length";
  if (name === "content-encoding") return "as-encoding";
  if (NOT_TO_CLIENT.has(name) || name.startsWith(OWN_PREFIX)) return "never";
  const mayBeOwn = name.startsWith("x-ratelimit-") || name.startsWith("access-control-");
  return mayBeOwn ? "unless-own" : "always";
}

/** Headers that a `Connection` header declares to be hop-by-hop; undefined in the common case that it names none. */
function nominatedHeaders(connection: string | undefined): ReadonlySet<string> | undefined {
  if (connection === undefined || connection === "keep-alive" || connection === "close") {
    return undefined;
  }
  return new Set(connection.split(",").map((token) => token.trim().toLowerCase()));
}
