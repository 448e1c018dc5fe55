/**
 * What a gateway key or an environment may do. Here are the rules and what is decided by them; what a call is like, and
 * what becomes of one that breaks a rule, is the data plane's business. Nothing in this folder reads a clock or a socket.
 */

/** Endpoints that belong together, by the paths that they begin with. */
export const ENDPOINT_GROUPS = {
  "@text": ["chat/completions", "completions", "responses", "messages"],
  "@audio": ["audio"],
  "@images": ["images"],
  "@batches": ["batches", "files", "uploads"],
} as const satisfies Readonly<Record<string, readonly string[]>>;

const MAX_PATTERN_CHARACTERS = 200;
/** Lower-case segments of a path below `/v1`. */
const PATH = /^[a-z0-9][\w.-]*(?:\/[a-z0-9][\w.-]*)*$/;

/**
 * `chat/completions`: that path below `/v1` and every path under it; `@images`: a group. Undefined for anything else. A
 * leading `/v1/` may be written, and is left out of what is given back.
 */
export function parseEndpointPattern(text: string): string | undefined {
  const written = text.trim();
  if (isGroup(written)) return written;
  const path = written.replace(/^\/?v1\//, "").replace(/^\/|\/$/g, "");
  return path.length <= MAX_PATTERN_CHARACTERS && PATH.test(path) ? path : undefined;
}

/** Which endpoints may be called. */
export interface EndpointSet {
  /** `path` in plain spelling: `/v1/chat/completions`. */
  has(path: string): boolean;
}

/** Null for null: every endpoint. */
export function createEndpointSet(patterns: readonly string[]): EndpointSet;
export function createEndpointSet(patterns: readonly string[] | null): EndpointSet | null;
export function createEndpointSet(patterns: readonly string[] | null): EndpointSet | null {
  if (patterns === null) return null;
  const paths = patterns
    .flatMap((pattern) => (isGroup(pattern) ? ENDPOINT_GROUPS[pattern] : [pattern]))
    .map((path) => `/v1/${path}`);
  return {
    has: (path) =>
      paths.some(
        (allowed) =>
          path.startsWith(allowed) &&
          (path.length === allowed.length || path.charAt(allowed.length) === "/"),
      ),
  };
}

function isGroup(text: string): text is keyof typeof ENDPOINT_GROUPS {
  return Object.hasOwn(ENDPOINT_GROUPS, text);
}
