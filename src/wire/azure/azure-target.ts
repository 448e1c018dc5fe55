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

const PREFIX = "/openai/";
const DEPLOYMENT = /^\/deployments\/([^/?]+)(\/[^?]*)/;

/**
 * Reads what Azure's clients call: `/openai/deployments/{deployment}/chat/completions?api-version=…` and
 * `/openai/responses?api-version=…`, which the dated API has; `/openai/v1/…`; and `/v1/deployments/…`, which a client of
 * the dated API calls when its base URL is this gateway's for OpenAI's. Undefined for any other path.
 */
export function parseAzureTarget(target: string): AzureTarget | undefined {
  if (target.startsWith("/openai/v1/")) {
    return { target: target.slice("/openai".length), dated: null };
  }
  const isOwnPrefix = target.startsWith(PREFIX);
  if (!isOwnPrefix && !target.startsWith("/v1/deployments/")) return undefined;
  const { rest, apiVersion } = takeApiVersion(
    target.slice(isOwnPrefix ? "/openai".length : "/v1".length),
  );
  if (apiVersion !== null && !/^[\w.-]{1,32}$/.test(apiVersion)) return undefined;
  const match = DEPLOYMENT.exec(rest);
  if (match === null) return { target: `/v1${rest}`, dated: { apiVersion, deployment: null } };
  const [head, segment = "", path = ""] = match;
  const deployment = decode(segment);
  if (deployment === undefined) return undefined;
  return { target: `/v1${path}${rest.slice(head.length)}`, dated: { apiVersion, deployment } };
}

function takeApiVersion(target: string): { rest: string; apiVersion: string | null } {
  const at = target.indexOf("?");
  if (at === -1) return { rest: target, apiVersion: null };
  const path = target.slice(0, at);
  const parameters = target.slice(at + 1).split("&");
  const others = parameters.filter((parameter) => !parameter.startsWith("api-version="));
  const version = parameters.find((parameter) => parameter.startsWith("api-version="));
  return {
    rest: others.length === 0 ? path : `${path}?${others.join("&")}`,
    apiVersion:
      version === undefined ? null : (decode(version.slice("api-version=".length)) ?? null),
  };
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined; // A stray percent sign.
  }
}
