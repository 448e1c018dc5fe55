import { parseIpAddress, type IpAddress } from "./ip-address.ts";

/** The addresses of some networks. */
export interface IpRanges {
  has(address: IpAddress): boolean;
}

export interface IpRange {
  readonly family: 4 | 6;
  /** The network's own bits: the address without those of a host. */
  readonly network: bigint;
  readonly hostBits: bigint;
}

const WIDTHS = { 4: 32, 6: 128 } as const;
const MAPPED_BITS = 96;
/** `ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255/128` */
const MAX_RANGE_CHARACTERS = 50;

/**
 * A network as `10.1.0.0/16` or `2001:db8::/32`, or one address. What is wrong with the text, where it is none: bits
 * behind the network's own are refused, because what was meant is a guess.
 */
export function parseIpRange(text: string): IpRange | { readonly problem: string } {
  const trimmed = text.trim();
  const [written = "", length, ...more] = trimmed.split("/");
  const address = /[%[\]]/.test(trimmed) ? undefined : parseIpAddress(written);
  if (address === undefined || more.length > 0 || trimmed.length > MAX_RANGE_CHARACTERS) {
    return { problem: "must be an IP address or a network such as 10.1.0.0/16 or 2001:db8::/32" };
  }
  // `::ffff:10.0.0.0/104` is 10.0.0.0/8.
  const offset = address.family === 4 && written.includes(":") ? MAPPED_BITS : 0;
  const width = WIDTHS[address.family];
  if (length === undefined) return rangeOf(address, width);
  const bits = /^\d{1,3}$/.test(length) ? Number(length) - offset : -1;
  if (bits < 0 || bits > width) {
    return { problem: `must have a prefix length from ${offset} to ${width + offset}` };
  }
  const range = rangeOf(address, bits);
  if (range.network << range.hostBits === address.value) return range;
  const network = formatIp({ family: address.family, value: range.network << range.hostBits });
  return {
    problem: `has bits set behind the first ${bits + offset}; the network is ${network}/${bits}`,
  };
}

function rangeOf({ family, value }: IpAddress, bits: number): IpRange {
  const hostBits = BigInt(WIDTHS[family] - bits);
  return { family, network: value >> hostBits, hostBits };
}

/** Null for null. Throws for an entry that `parseIpRange` does not take: they are checked before they are kept. */
export function createIpRanges(entries: readonly string[]): IpRanges;
export function createIpRanges(entries: readonly string[] | null): IpRanges | null;
export function createIpRanges(entries: readonly string[] | null): IpRanges | null {
  if (entries === null) return null;
  const ranges = entries.map((entry) => {
    const range = parseIpRange(entry);
    if ("problem" in range) throw new Error(`${entry} ${range.problem}`);
    return range;
  });
  return {
    has: ({ family, value }) =>
      ranges.some((range) => range.family === family && value >> range.hostBits === range.network),
  };
}

/** `10.1.2.3`; IPv6 in full groups, without the shortest form's `::`, which is enough to be read and typed. */
export function formatIp({ family, value }: IpAddress): string {
  if (family === 4) {
    return [24n, 16n, 8n, 0n].map((shift) => String((value >> shift) & 0xffn)).join(".");
  }
  const groups = Array.from({ length: 8 }, (_, index) =>
    ((value >> BigInt(112 - index * 16)) & 0xffffn).toString(16),
  );
  return groups.join(":");
}
