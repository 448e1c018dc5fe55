/**
 * What sort of place an IP address is, as far as a gateway that carries secrets must know. Sources: the IANA IPv4 and
 * IPv6 Special-Purpose Address Registries (RFC 6890) and the RFCs named below; the metadata services' addresses are
 * from the clouds' own documentation.
 */

/**
 * `public`: the internet. `loopback`: this machine. `private`: a network of one's own. `linkLocal`: this cable.
 * `metadata`: a cloud's service that hands out the machine's credentials. `unroutable`: no server lives there
 * (unspecified, documentation, multicast, reserved).
 */
export type AddressKind =
  | "public"
  | "loopback"
  | "private"
  | "linkLocal"
  | "metadata"
  | "unroutable";

/**
 * Undefined when the text is no IP address. Takes IPv4 in four decimal parts, and every written form of IPv6, with or
 * without brackets and zone; octal, hexadecimal and single-number forms of IPv4 are taken apart by `URL` before this.
 */
export function addressKind(text: string): AddressKind | undefined {
  const ipv4 = parseIpv4(text);
  if (ipv4 !== undefined) return kindOfIpv4(ipv4);
  const ipv6 = parseIpv6(text.replace(/^\[(.*)\]$/, "$1").replace(/%.*$/, ""));
  return ipv6 === undefined ? undefined : kindOfIpv6(ipv6);
}

/** An address as a number, and its family. */
export interface IpAddress {
  readonly family: 4 | 6;
  readonly value: bigint;
}

/** `::ffff:0:0/96`: how a socket that listens for both families names a peer of the older one. */
const MAPPED_PREFIX = 0xffffn;

/**
 * The address that the text writes, in every form that `addressKind` takes; an IPv4 address that is written as IPv6
 * (RFC 4291, section 2.5.5.2) is that IPv4 address. Undefined when it is none.
 */
export function parseIpAddress(text: string): IpAddress | undefined {
  const ipv4 = parseIpv4(text);
  if (ipv4 !== undefined) return { family: 4, value: ipv4 };
  const ipv6 = parseIpv6(text.replace(/^\[(.*)\]$/, "$1").replace(/%.*$/, ""));
  if (ipv6 === undefined) return undefined;
  return ipv6 >> 32n === MAPPED_PREFIX
    ? { family: 4, value: ipv6 & 0xffff_ffffn }
    : { family: 6, value: ipv6 };
}

/** Groups of an IPv6 address. */
const GROUPS = 8;

type Network = readonly [prefix: string, bits: number, kind: AddressKind];

/** The first that holds the address decides. */
const IPV4_NETWORKS: readonly Network[] = [
  ["169.254.169.0", 24, "metadata"], // AWS, Google, Azure, DigitalOcean, OpenStack; DNS and time beside it
  ["169.254.170.0", 24, "metadata"], // AWS: credentials of containers and pods
  ["169.254.0.23", 32, "metadata"], // Tencent
  ["100.100.100.200", 32, "metadata"], // Alibaba
  ["168.63.129.16", 32, "metadata"], // Azure's host agent
  ["192.0.0.192", 32, "metadata"], // Oracle
  ["127.0.0.0", 8, "loopback"],
  ["169.254.0.0", 16, "linkLocal"],
  ["10.0.0.0", 8, "private"],
  ["172.16.0.0", 12, "private"],
  ["192.168.0.0", 16, "private"],
  ["100.64.0.0", 10, "private"], // shared address space, RFC 6598
  ["198.18.0.0", 15, "private"], // benchmarks, RFC 2544; some VPNs use it
  ["0.0.0.0", 8, "unroutable"], // reaches this machine on many systems
  ["192.0.0.0", 24, "unroutable"],
  ["192.0.2.0", 24, "unroutable"],
  ["192.88.99.0", 24, "unroutable"],
  ["198.51.100.0", 24, "unroutable"],
  ["203.0.113.0", 24, "unroutable"],
  ["224.0.0.0", 4, "unroutable"],
  ["240.0.0.0", 4, "unroutable"],
];

const IPV6_NETWORKS: readonly Network[] = [
  ["fd00:ec2::", 32, "metadata"], // AWS
  ["fd20:ce::254", 128, "metadata"], // Google
  ["fd00:42::42", 128, "metadata"], // Scaleway
  ["::1", 128, "loopback"],
  ["fe80::", 10, "linkLocal"],
  ["fec0::", 10, "private"], // site-local, RFC 3879
  ["fc00::", 7, "private"],
  ["64:ff9b:1::", 48, "private"], // a NAT64 of one's own, RFC 8215
  ["2001:db8::", 32, "unroutable"],
  ["3fff::", 20, "unroutable"],
  ["2001::", 23, "unroutable"], // Teredo and other tunnels and experiments
  ["2000::", 3, "public"],
];

/** Addresses that carry an IPv4 address: whoever routes them ends up there. Prefix, bits, and where it begins. */
const EMBEDDINGS: readonly (readonly [prefix: string, bits: number, firstBit: number])[] = [
  ["::ffff:0:0", 96, 96], // mapped
  ["::ffff:0:0:0", 96, 96], // translated, RFC 2765
  ["64:ff9b::", 96, 96], // NAT64
  ["2002::", 16, 16], // 6to4
];

function kindOfIpv4(address: bigint): AddressKind {
  return findKind(IPV4, address) ?? "public";
}

function kindOfIpv6(address: bigint): AddressKind {
  for (const { value, bits, firstBit } of EMBEDDED) {
    if (isWithin(address, value, bits, 128)) {
      return kindOfIpv4((address >> BigInt(96 - firstBit)) & 0xffff_ffffn);
    }
  }
  const kind = findKind(IPV6, address);
  if (kind !== undefined) return kind;
  // The rest of `::/96` is IPv4 in a form that is long given up; some stacks still connect to it.
  if (address >> 32n === 0n && address !== 0n) return kindOfIpv4(address);
  return "unroutable"; // Only 2000::/3 is handed out for use on the internet.
}

interface ParsedNetwork {
  readonly value: bigint;
  readonly bits: number;
  readonly kind: AddressKind;
}

interface ParsedFamily {
  readonly networks: readonly ParsedNetwork[];
  readonly width: number;
}

const IPV4 = parseFamily(IPV4_NETWORKS, parseIpv4, 32);
const IPV6 = parseFamily(IPV6_NETWORKS, parseIpv6, 128);
const EMBEDDED = EMBEDDINGS.map(([prefix, bits, firstBit]) => ({
  value: known(parseIpv6, prefix),
  bits,
  firstBit,
}));

function parseFamily(
  networks: readonly Network[],
  parse: (text: string) => bigint | undefined,
  width: number,
): ParsedFamily {
  return {
    networks: networks.map(([prefix, bits, kind]) => ({ value: known(parse, prefix), bits, kind })),
    width,
  };
}

function known(parse: (text: string) => bigint | undefined, text: string): bigint {
  const value = parse(text);
  if (value === undefined) throw new Error(`${text} is not an address`);
  return value;
}

function findKind({ networks, width }: ParsedFamily, address: bigint): AddressKind | undefined {
  return networks.find(({ value, bits }) => isWithin(address, value, bits, width))?.kind;
}

function isWithin(address: bigint, network: bigint, bits: number, width: number): boolean {
  const shift = BigInt(width - bits);
  return address >> shift === network >> shift;
}

function parseIpv4(text: string): bigint | undefined {
  const parts = text.split(".");
  if (parts.length !== 4) return undefined;
  let value = 0n;
  for (const part of parts) {
    if (!/^(?:0|[1-9]\d{0,2})$/.test(part) || Number(part) > 255) return undefined;
    value = (value << 8n) | BigInt(part);
  }
  return value;
}

function parseIpv6(text: string): bigint | undefined {
  const halves = text.split("::");
  if (halves.length > 2 || !text.includes(":")) return undefined;
  const [head, tail] = halves.map((half, index) => parseGroups(half, index === halves.length - 1));
  if (head === undefined || (halves.length === 2 && tail === undefined)) return undefined;
  const end = tail ?? [];
  const missing = GROUPS - head.length - end.length;
  if (halves.length === 1 ? missing !== 0 : missing < 1) return undefined;
  const groups = [...head, ...Array.from({ length: missing }, () => 0), ...end];
  return groups.reduce((value, group) => (value << 16n) | BigInt(group), 0n);
}

/** `isEnd`: the address ends here, where alone IPv4 may stand in it. */
function parseGroups(text: string, isEnd: boolean): number[] | undefined {
  if (text === "") return [];
  const parts = text.split(":");
  const groups: number[] = [];
  for (const [index, part] of parts.entries()) {
    const ipv4 = isEnd && index === parts.length - 1 ? parseIpv4(part) : undefined;
    if (ipv4 !== undefined) groups.push(Number(ipv4 >> 16n), Number(ipv4 & 0xffffn));
    else if (/^[\da-f]{1,4}$/i.test(part)) groups.push(Number.parseInt(part, 16));
    else return undefined;
  }
  return groups;
}
