import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseIpAddress } from "./ip-address.ts";
import { createIpRanges, formatIp, parseIpRange } from "./ip-ranges.ts";

function has(range: string, address: string): boolean {
  const parsed = parseIpAddress(address);
  if (parsed === undefined) throw new Error(`${address} is no address`);
  return createIpRanges([range]).has(parsed);
}

describe("parseIpRange", () => {
  it.each([
    "10.0.0.0/8",
    "10.1.2.3",
    "0.0.0.0/0",
    "::/0",
    "2001:db8::/32",
    "2001:db8::1",
    "::ffff:10.0.0.0/104",
    " 192.0.2.7/32 ",
  ])("takes %j", (text) => expect(parseIpRange(text)).not.toHaveProperty("problem"));

  it.each([
    "",
    "/",
    "10.0.0.0/",
    "10.0.0.0/33",
    "10.0.0.0/-1",
    "10.0.0.0/+8",
    "10.0.0.0/8/8",
    "10.0.0.0/08x",
    "10.0.0/8",
    "010.0.0.0/8",
    "0x0a.0.0.0/8",
    "167772160/8",
    "2001:db8::/129",
    "2001:db8::1::/32",
    "[2001:db8::]/32",
    "fe80::1%eth0",
    "::ffff:10.0.0.0/8",
    "localhost",
    "*",
    `10.0.0.0/${"0".repeat(1_000_000)}8`,
  ])("refuses %j", (text) => expect(parseIpRange(text)).toHaveProperty("problem"));

  it("refuses bits behind the prefix and names the network that may be meant", () => {
    expect(parseIpRange("10.1.2.3/8")).toEqual({
      problem: "has bits set behind the first 8; the network is 10.0.0.0/8",
    });
    expect(parseIpRange("2001:db8::1/32")).toEqual({
      problem: "has bits set behind the first 32; the network is 2001:db8:0:0:0:0:0:0/32",
    });
  });
});

describe("a range", () => {
  it("holds its first and its last address and none beside them", () => {
    expect(has("10.1.0.0/16", "10.1.0.0")).toBe(true);
    expect(has("10.1.0.0/16", "10.1.255.255")).toBe(true);
    expect(has("10.1.0.0/16", "10.0.255.255")).toBe(false);
    expect(has("10.1.0.0/16", "10.2.0.0")).toBe(false);
    expect(has("2001:db8::/33", "2001:db8:7fff:ffff::1")).toBe(true);
    expect(has("2001:db8::/33", "2001:db8:8000::")).toBe(false);
    expect(has("192.0.2.7", "192.0.2.8")).toBe(false);
  });

  it("takes an IPv4 address in the spelling of IPv6 for what it is, on either side", () => {
    expect(has("10.0.0.0/8", "::ffff:10.1.2.3")).toBe(true);
    expect(has("10.0.0.0/8", "0:0:0:0:0:FFFF:0a01:0203")).toBe(true);
    expect(has("::ffff:10.0.0.0/104", "10.1.2.3")).toBe(true);
    expect(has("::ffff:10.0.0.0/104", "11.1.2.3")).toBe(false);
  });

  it("of one family holds no address of the other", () => {
    expect(has("::/0", "10.1.2.3")).toBe(false);
    expect(has("0.0.0.0/0", "2001:db8::1")).toBe(false);
    // The compatible form (RFC 4291, section 2.5.5.1) is another address than the one that it holds.
    expect(has("10.0.0.0/8", "::10.1.2.3")).toBe(false);
  });

  it("holds exactly the addresses whose first bits are its own", () => {
    const bits = fc.integer({ min: 0, max: 32 });
    const value = fc.bigInt({ min: 0n, max: 0xffff_ffffn });
    fc.assert(
      fc.property(value, value, bits, (network, address, length) => {
        const shift = BigInt(32 - length);
        const first = formatIp({ family: 4, value: (network >> shift) << shift });
        const ranges = createIpRanges([`${first}/${length}`]);
        expect(ranges.has({ family: 4, value: address })).toBe(
          network >> shift === address >> shift,
        );
      }),
    );
  });
});
