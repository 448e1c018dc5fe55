import { BlockList, isIPv4, isIPv6 } from "node:net";

const MAX_URL_CHARACTERS = 2048;

export type ParsedBaseUrl = { readonly baseUrl: string } | { readonly refusal: string };

/**
 * Reads the base URL of a provider account: http or https, no credentials, no query, no fragment; the trailing slash
 * is cut off. A refusal is a predicate (`must be …`).
 *
 * Plain http carries the provider's secret in clear. It is accepted only where the host says that the way does not
 * leave the team's own network (loopback, private addresses, names without a dot, `.internal` and the like), as a
 * model server beside the gateway has it. Link-local addresses and the clouds' metadata services are refused with
 * either scheme: they hand out the machine's credentials. A name that resolves to such an address is not found out.
 */
export function parseBaseUrl(text: string): ParsedBaseUrl {
  const trimmed = text.trim();
  if (trimmed.length > MAX_URL_CHARACTERS || !URL.canParse(trimmed)) {
    return { refusal: "must be a URL with its version path, `https://api.example.com/v1`" };
  }
  const url = new URL(trimmed);
  const refusal = refusalOf(url, trimmed);
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
  const host = url.hostname.replace(/^\[|\]$|\.$/g, "");
  if (isInList(METADATA_ADDRESSES, host) || METADATA_NAMES.includes(host)) {
    return "must not be a link-local address or a cloud's metadata service";
  }
  if (url.protocol === "http:" && !isOwnNetwork(host)) {
    return "must be https: over plain http the secret would cross the internet in clear";
  }
  return undefined;
}

function isOwnNetwork(host: string): boolean {
  if (isInList(OWN_ADDRESSES, host)) return true;
  if (isIPv4(host) || isIPv6(host)) return false;
  return !host.includes(".") || OWN_SUFFIXES.some((suffix) => host.endsWith(suffix));
}

/** Names that the public DNS does not serve (RFC 6761, 6762, 8375; `.internal` by ICANN; Kubernetes). */
const OWN_SUFFIXES = [".localhost", ".local", ".internal", ".home.arpa", ".svc"];

/** Also finds an IPv4 address written as IPv6 (`::ffff:127.0.0.1`). */
function isInList(list: BlockList, host: string): boolean {
  if (isIPv4(host)) return list.check(host, "ipv4");
  return isIPv6(host) && list.check(host, "ipv6");
}

const OWN_ADDRESSES = subnets(
  ["127.0.0.0", 8, "ipv4"],
  ["10.0.0.0", 8, "ipv4"],
  ["172.16.0.0", 12, "ipv4"],
  ["192.168.0.0", 16, "ipv4"],
  ["100.64.0.0", 10, "ipv4"],
  ["::1", 128, "ipv6"],
  ["fc00::", 7, "ipv6"],
);
const METADATA_NAMES: readonly string[] = ["metadata", "metadata.google.internal"];
const METADATA_ADDRESSES = subnets(
  ["169.254.0.0", 16, "ipv4"],
  ["100.100.100.200", 32, "ipv4"],
  ["fe80::", 10, "ipv6"],
  ["fd00:ec2::254", 128, "ipv6"],
);

function subnets(...nets: readonly (readonly [string, number, "ipv4" | "ipv6"])[]): BlockList {
  const list = new BlockList();
  for (const [address, bits, family] of nets) list.addSubnet(address, bits, family);
  return list;
}
