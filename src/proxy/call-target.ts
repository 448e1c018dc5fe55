/**
 * The target of a request: what it says of the call, and whether it can be forwarded at all.
 */
import { parseAzureTarget } from "../wire/azure/azure-target.ts";
import { dialectOf, type Dialect } from "../wire/dialect.ts";
import { LISTED_PATHS } from "../wire/find-operation.ts";
import type { Refusal } from "./call.ts";
import type { GatewayRequest } from "./gateway-request.ts";

export interface CallTarget extends Pick<GatewayRequest, "target" | "path" | "dated"> {
  /** As far as the path says it. */
  readonly dialect: Dialect;
  /** Why it can't be forwarded; undefined where it can. */
  readonly refusal: Refusal | undefined;
}

export function readCallTarget(called: string): CallTarget {
  return LISTED.get(called) ?? read(called);
}

const MAX_TARGET_CHARACTERS = 8192;
/** Segments that are not empty, of the characters that RFC 3986 lets stand in a path. */
const PLAIN_PATH = /^(?:\/[\w.~!$&'()*+,;=:@%-]+)+\/?$/;
/** What a server's decoding may bring to light: dots to resolve, empty segments, and what ends a path. */
const AMBIGUOUS = /\/\.{1,2}(?:\/|$)|\/\/|[\\#?\p{Cc}]/u;
/** A front end and the server behind it may each decode, so what is encoded twice is looked at as well. */
const MAX_DECODINGS = 3;

/** What nearly every call asks for, letter by letter, is read beforehand. */
const LISTED: ReadonlyMap<string, CallTarget> = new Map(
  LISTED_PATHS.map((path) => [path, read(path)]),
);

function read(called: string): CallTarget {
  const azure = parseAzureTarget(called);
  const target = azure?.target ?? called;
  const query = target.indexOf("?");
  const path = query === -1 ? target : target.slice(0, query);
  const dated = azure?.dated ?? null;
  const refusal = refuseTarget({ target, path, dated });
  return { target, path, dated, dialect: dialectOf(path, false), refusal };
}

/**
 * Only a path that every server reads in the same way is forwarded: what a provider's front end would resolve or cut
 * off is another path than the one that was metered and checked.
 */
function refuseTarget({
  target,
  path,
  dated,
}: Pick<GatewayRequest, "target" | "path" | "dated">): Refusal | undefined {
  if (/kw_(?:dev|stg|live|admin)_|kwc_(?:dev|stg|live)_/.test(target + (dated?.deployment ?? ""))) {
    return {
      code: "key_in_url",
      message:
        "A Keyward key stands in the URL. Send it as `Authorization: Bearer`, and revoke this one: URLs are logged.",
    };
  }
  const isPlain =
    path.startsWith("/v1") &&
    target.length <= MAX_TARGET_CHARACTERS &&
    PLAIN_PATH.test(path) &&
    !AMBIGUOUS.test(decodePath(path));
  if (isPlain) return undefined;
  return { code: "unknown_url", message: `${path.slice(0, 200)} is not a path of the API.` };
}

function decodePath(path: string): string {
  let decoded = path;
  for (let i = 0; i < MAX_DECODINGS && decoded.includes("%"); i += 1) {
    try {
      decoded = decodeURIComponent(decoded);
    } catch {
      return decoded; // A stray percent sign: no server decodes it either.
    }
  }
  return decoded;
}
