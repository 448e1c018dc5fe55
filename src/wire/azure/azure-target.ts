/** A request to a path of Azure's, as the same request to OpenAI's API. */
export interface AzureTarget {
  /** Path and query as a client of OpenAI would have called them, without the api version: `/v1/chat/completions`. */
  readonly target: string;
  /** Null for the surface without dated versions, `/openai/v1/…`, which is OpenAI's in all but its prefix. */
  readonly dated: {
    readonly apiVersion: string | null;
    /** The model, by Azure's word for it; null for an endpoint that is not below one. */
    readonly deployment: string | null;
  } | null;
}

const AZURE_PREFIX = "/openai/";
const OPENAI_PREFIX = "/v1/";
/** Cheap test before a closer look: the first segment behind `/v1` is `deployments`, in plain or encoded letters. */
const PERHAPS_DEPLOYMENTS = /^\/v1\/(?:deployments|[^/?]*%[^/?]*)\//i;
const VERSION = /^[\w.-]{1,32}$/;

/**
 * Reads what Azure's clients call: `/openai/deployments/{deployment}/chat/completions?api-version=…` and
 * `/openai/responses?api-version=…`, which the dated API has; `/openai/v1/…`; and `/v1/deployments/…`, which a client of
 * the dated API calls when its base URL is this gateway's for OpenAI's. Undefined for any other path. The words are also
 * known in another spelling, because a call must not escape the meter by its spelling.
 */
export function parseAzureTarget(target: string): AzureTarget | undefined {
  if (target.startsWith(AZURE_PREFIX)) {
    const rest = target.slice(AZURE_PREFIX.length - 1);
    const { first, tail } = splitFirst(rest);
    if (first !== "v1") return parseDated(rest);
    return parseAzureTarget(`/v1${tail}`) ?? { target: `/v1${tail}`, dated: null };
  }
  if (!PERHAPS_DEPLOYMENTS.test(target)) return undefined;
  const rest = target.slice(OPENAI_PREFIX.length - 1);
  return splitFirst(rest).first === "deployments" ? parseDated(rest) : undefined;
}

/** `rest` is the path behind the prefix, with its slash. */
function parseDated(rest: string): AzureTarget | undefined {
  const { path, query, apiVersion } = takeApiVersion(rest);
  if (apiVersion !== null && !VERSION.test(apiVersion)) return undefined;
  const { first, tail } = splitFirst(path);
  const slash = tail.indexOf("/", 1);
  if (first !== "deployments" || slash <= 1) {
    return { target: `/v1${path}${query}`, dated: { apiVersion, deployment: null } };
  }
  const deployment = decode(tail.slice(1, slash));
  if (deployment === undefined) return undefined;
  return { target: `/v1${tail.slice(slash)}${query}`, dated: { apiVersion, deployment } };
}

/** The first segment, decoded and in small letters, and what comes behind it. */
function splitFirst(path: string): { first: string; tail: string } {
  const end = path.slice(1).search(/[/?]/);
  const first = end === -1 ? path.slice(1) : path.slice(1, end + 1);
  return { first: (decode(first) ?? first).toLowerCase(), tail: path.slice(first.length + 1) };
}

const VERSION_PARAMETER = "api-version=";

function takeApiVersion(target: string): {
  path: string;
  query: string;
  apiVersion: string | null;
} {
  const at = target.indexOf("?");
  if (at === -1) return { path: target, query: "", apiVersion: null };
  const parameters = target.slice(at + 1).split("&");
  const others = parameters.filter((parameter) => !parameter.startsWith(VERSION_PARAMETER));
  const version = parameters.find((parameter) => parameter.startsWith(VERSION_PARAMETER));
  const value = version?.slice(VERSION_PARAMETER.length);
  return {
    path: target.slice(0, at),
    query: others.length === 0 ? "" : `?${others.join("&")}`,
    apiVersion: value === undefined ? null : (decode(value) ?? value),
  };
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined; // A stray percent sign.
  }
}
