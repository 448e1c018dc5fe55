import { placeOfHost, plainHostname, type AllowedHosts } from "../../core/network/allowed-hosts.ts";

const MAX_URL_CHARACTERS = 2048;

export type ParsedBaseUrl = { readonly baseUrl: string } | { readonly refusal: string };

/**
 * Reads the base URL of a provider account: http or https, no credentials, no query, no fragment; the trailing slash
 * is cut off. A refusal is a predicate (`must be …`).
 *
 * A host that is in a network of one's own (loopback, private and link-local addresses in every written form, names
 * that the public DNS does not serve) is refused unless it is allowed by name, and the clouds' metadata services
 * always: they hand out the machine's credentials. What a public-looking name resolves to is judged when a connection
 * is made. Plain http carries the provider's secret in clear, so it is taken for allowed hosts alone.
 */
export function parseBaseUrl(text: string, allowed: AllowedHosts): ParsedBaseUrl {
  const trimmed = text.trim();
  if (trimmed.length > MAX_URL_CHARACTERS || !URL.canParse(trimmed)) {
    return { refusal: "must be a URL with its version path, `https://api.example.com/v1`" };
  }
  const url = new URL(trimmed);
  const refusal = refusalOf(url, trimmed) ?? refusalOfHost(url, allowed);
  if (refusal !== undefined) return { refusal };
  return { baseUrl: `${url.origin}${url.pathname.replace(/\/+$/, "")}` };
}

function refusalOf(url: URL, text: string): string | undefined {
  if (url.protocol !== "https:" && url.protocol !== "http:") {
    return "must begin with `https://` or `http://`";
  }
  if (url.username !== "" || url.password !== "") {
    return "must not hold credentials; the secret belongs into a provider key";
  }
  if (text.includes("?") || text.includes("#")) return "must not have a query or a fragment";
  return undefined;
}

function refusalOfHost(url: URL, allowed: AllowedHosts): string | undefined {
  const place = placeOfHost(url.hostname);
  if (place === "metadata") return "must not be a cloud's metadata service";
  if (place === "unroutable") return "must not be an address at which there can be no server";
  const host = plainHostname(url.hostname);
  if (allowed.has(host, portOf(url))) return undefined;
  if (place === "own") {
    return `leads into a private network, so its host must be allowed by name: add \`${url.host}\` to the setting \`allowedPrivateHosts\` (KEYWARD_ALLOWED_PRIVATE_HOSTS) and start again`;
  }
  if (url.protocol === "http:") {
    return "must be https: over plain http the secret would cross the internet in clear";
  }
  return undefined;
}

function portOf(url: URL): number {
  if (url.port !== "") return Number(url.port);
  return url.protocol === "https:" ? 443 : 80;
}
