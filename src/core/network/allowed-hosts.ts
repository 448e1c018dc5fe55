import { addressKind, type AddressKind } from "./ip-address.ts";

/**
 * The hosts in networks of one's own that Keyward may send provider secrets to, by name: `localhost:11434`. Whoever
 * may add a provider account could otherwise make the gateway call, and read, what only its machine can reach.
 */
export interface AllowedHosts {
  /** `hostname` as `URL` gives it, without brackets; the scheme's own port where none is written. */
  has(hostname: string, port: number): boolean;
}

/** Where a host is known to be from its name or its address alone, before any look-up. */
export type HostPlace = "public" | "own" | "metadata" | "unroutable";

export interface AllowedHost {
  readonly hostname: string;
  /** Null = every port. */
  readonly port: number | null;
}

const MAX_HOST_CHARACTERS = 253;

/** `host` or `host:port`, IPv6 in brackets; undefined when it is neither. Forms of one address become one. */
export function parseAllowedHost(text: string): AllowedHost | undefined {
  const trimmed = text.trim();
  if (!/^(?:\[[\da-f:.]+\]|[^\s/@:?#\\[\]]+)(?::\d{1,5})?$/i.test(trimmed)) return undefined;
  const url = `http://${trimmed}`;
  if (trimmed.length > MAX_HOST_CHARACTERS || !URL.canParse(url)) return undefined;
  const hostname = plainHostname(new URL(url).hostname);
  if (!/^[\w.:-]+$/.test(hostname)) return undefined;
  const port = /:(\d+)$/.exec(trimmed.replace(/^\[.*\]/, ""))?.[1];
  // A cloud's metadata service is never a model server: allowing it could only be a mistake, or somebody's trap.
  const place = placeOfHost(hostname);
  if (place === "metadata" || place === "unroutable") return undefined;
  return { hostname, port: port === undefined ? null : Number(port) };
}

/** Throws for an entry that `parseAllowedHost` does not take: settings are checked before they come here. */
export function createAllowedHosts(entries: readonly string[]): AllowedHosts {
  const names = new Set(
    entries.map((entry) => {
      const host = parseAllowedHost(entry);
      if (host === undefined) throw new Error(`${entry} is not a host that can be allowed`);
      return nameOf(host.hostname, host.port);
    }),
  );
  return {
    has: (hostname, port) => {
      const plain = plainHostname(hostname);
      return names.has(nameOf(plain, port)) || names.has(nameOf(plain, null));
    },
  };
}

function nameOf(hostname: string, port: number | null): string {
  return `${hostname} ${port ?? "*"}`;
}

/** Lower case, without IPv6's brackets and without the dot that ends an absolute name. */
export function plainHostname(hostname: string): string {
  return hostname
    .toLowerCase()
    .replace(/^\[(.*)\]$/, "$1")
    .replace(/\.$/, "");
}

/** Names that the public DNS does not serve (RFC 6761, 6762, 8375; `.internal` by ICANN; Kubernetes). */
const OWN_SUFFIXES = [".localhost", ".local", ".internal", ".home.arpa", ".svc"];
const METADATA_NAMES: readonly string[] = ["metadata", "metadata.google.internal"];

/** `public` for a name that says nothing: what it resolves to is judged when a connection is made. */
export function placeOfHost(hostname: string): HostPlace {
  const host = plainHostname(hostname);
  const kind = addressKind(host);
  if (kind !== undefined) return PLACES[kind];
  if (METADATA_NAMES.includes(host)) return "metadata";
  const isOwn = !host.includes(".") || OWN_SUFFIXES.some((suffix) => host.endsWith(suffix));
  return isOwn ? "own" : "public";
}

/** Whether a connection may be made to an address that a host resolved to. */
export function mayConnect(address: string, isHostAllowed: boolean): boolean {
  const kind = addressKind(address);
  if (kind === undefined) return false;
  const place = PLACES[kind];
  return place === "public" || (place === "own" && isHostAllowed);
}

const PLACES: Readonly<Record<AddressKind, HostPlace>> = {
  public: "public",
  loopback: "own",
  private: "own",
  linkLocal: "own",
  metadata: "metadata",
  unroutable: "unroutable",
};
