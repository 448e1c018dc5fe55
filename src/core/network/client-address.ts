import { parseIpAddress, type IpAddress } from "./ip-address.ts";
import type { IpRanges } from "./ip-ranges.ts";

/** Where a proxy writes whose request it passes on: as everybody does, or as RFC 7239 has it. */
export type ClientAddressHeader = "x-forwarded-for" | "forwarded";

/** More proxies stand behind each other nowhere; what is longer was made to be long. */
const MAX_HOPS = 32;

export interface ReceivedFrom {
  /** The other end of the connection. Undefined: it is gone. */
  readonly peer: string | undefined;
  /** What the header says; several of its fields joined by commas. */
  readonly header: string | undefined;
  readonly headerName: ClientAddressHeader;
}

/**
 * Who sent a request: the other end of the connection, or, where that is a proxy that is trusted, whom the last of the
 * trusted ones names. An entry is believed only as far as a trusted proxy has written it, so the list is read from its
 * end: what stands before the first untrusted address is that client's own invention. Undefined where that is not known.
 */
export function clientAddress(
  { peer, header, headerName }: ReceivedFrom,
  trusted: IpRanges | null,
): IpAddress | undefined {
  const direct = peer === undefined ? undefined : parseIpAddress(peer);
  if (direct === undefined || header === undefined || trusted?.has(direct) !== true) return direct;
  const hops = headerName === "forwarded" ? readForwarded(header) : header.split(",");
  if (hops === undefined || hops.length > MAX_HOPS) return undefined;
  let client: IpAddress = direct;
  for (const hop of hops.toReversed()) {
    const address = parseHop(hop);
    if (address === undefined) return undefined;
    client = address;
    if (!trusted.has(address)) break;
  }
  return client;
}

/** Some write the port as well: `192.0.2.1:4711`, `[2001:db8::1]:4711`. */
function parseHop(text: string): IpAddress | undefined {
  const hop = text.trim();
  const bracketed = /^\[([^\]]*)\](?::\d{1,5})?$/.exec(hop)?.[1];
  return parseIpAddress(bracketed ?? hop.replace(/^([\d.]+):\d{1,5}$/, "$1"));
}

/**
 * The `for` of each element of RFC 7239's header, in order. An element without one, or with one that hides the address
 * (`unknown`, `_gazonk`), is kept as what it is: no address. Undefined when it is not well-formed.
 */
function readForwarded(header: string): readonly string[] | undefined {
  const hops: string[] = [];
  for (const element of splitQuoted(header, ",")) {
    let hop = "";
    for (const pair of splitQuoted(element, ";")) {
      const at = pair.indexOf("=");
      if (at === -1) return undefined;
      if (pair.slice(0, at).trim().toLowerCase() !== "for") continue;
      if (hop !== "") return undefined;
      hop = unquote(pair.slice(at + 1).trim());
    }
    hops.push(hop);
  }
  return hops;
}

/** At a separator that does not stand in quotes. */
function splitQuoted(text: string, separator: string): readonly string[] {
  const parts: string[] = [];
  let start = 0;
  let isQuoted = false;
  for (let i = 0; i < text.length; i += 1) {
    const character = text.charAt(i);
    if (character === "\\" && isQuoted) i += 1;
    else if (character === '"') isQuoted = !isQuoted;
    else if (character === separator && !isQuoted) {
      parts.push(text.slice(start, i));
      start = i + 1;
    }
  }
  return [...parts, text.slice(start)];
}

function unquote(text: string): string {
  return /^"(.*)"$/s.exec(text)?.[1]?.replaceAll(/\\(.)/gs, "$1") ?? text;
}
