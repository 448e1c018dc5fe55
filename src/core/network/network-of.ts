/** Whose an address is, as far as one can tell: an IPv6 client has 2^64 addresses to come from. */
export function networkOf(address: string): string {
  return isWide(address) ? `${firstGroups(address, 4)}::/64` : address;
}

/** The site that it belongs to: who has one may have many networks (RFC 6177: up to 2^16 of them). */
export function siteOf(address: string): string {
  if (isWide(address)) return `${firstGroups(address, 3)}::/48`;
  const dotted = address.replace(MAPPED, "");
  return `${dotted.split(".").slice(0, 3).join(".")}.0/24`;
}

const MAPPED = "::ffff:";

function isWide(address: string): boolean {
  return address.includes(":") && !address.startsWith(MAPPED);
}

function firstGroups(address: string, count: number): string {
  const [head = ""] = address.split("::");
  const groups = head.split(":").filter((group) => group !== "");
  return [...groups, "0", "0", "0", "0"].slice(0, count).join(":");
}
