import { describe, expect, it } from "vitest";
import { clientAddress, type ClientAddressHeader } from "./client-address.ts";
import { createIpRanges, formatIp } from "./ip-ranges.ts";

const TRUSTED = createIpRanges(["10.0.0.0/8", "2001:db8:1::/48"]);

function client(
  peer: string | undefined,
  header?: string,
  options: { headerName?: ClientAddressHeader; isTrusting?: boolean } = {},
): string | undefined {
  const { headerName = "x-forwarded-for", isTrusting = true } = options;
  const found = clientAddress({ peer, header, headerName }, isTrusting ? TRUSTED : null);
  return found && formatIp(found);
}

const forwarded = { headerName: "forwarded" } as const;

describe("a client's address", () => {
  it("is the other end of the connection, whatever the request says", () => {
    expect(client("192.0.2.9", "10.0.0.1")).toBe("192.0.2.9");
    expect(client("10.0.0.1", "192.0.2.9", { isTrusting: false })).toBe("10.0.0.1");
    expect(client("::ffff:192.0.2.9", "10.0.0.1")).toBe("192.0.2.9");
  });

  it("is the last address that no trusted proxy has: what stands before it anybody can write", () => {
    expect(client("10.0.0.1", "192.0.2.9")).toBe("192.0.2.9");
    expect(client("10.0.0.1", "10.9.9.9, 198.51.100.7, 192.0.2.9")).toBe("192.0.2.9");
    expect(client("10.0.0.1", "198.51.100.7, 192.0.2.9, 10.0.0.2")).toBe("192.0.2.9");
    expect(client("2001:db8:1::5", "2001:db8:2::9")).toBe("2001:db8:2:0:0:0:0:9");
  });

  it("is the first of the trusted where all are, and the proxy's own where it names nobody", () => {
    expect(client("10.0.0.1", "10.0.0.3, 10.0.0.2")).toBe("10.0.0.3");
    expect(client("10.0.0.1")).toBe("10.0.0.1");
  });

  it.each([
    ["192.0.2.9:4711", "192.0.2.9"],
    ["[2001:db8:2::9]:4711", "2001:db8:2:0:0:0:0:9"],
    ["[2001:db8:2::9]", "2001:db8:2:0:0:0:0:9"],
    ["::ffff:192.0.2.9", "192.0.2.9"],
  ])("is read with its port from %j", (header, address) => {
    expect(client("10.0.0.1", header)).toBe(address);
  });

  it.each(["", "unknown", "192.0.2.9, ", "192.0.2.9, x", "0300.0.2.9", "10.0.0.1,".repeat(40)])(
    "is not known where a trusted proxy says %j",
    (header) => expect(client("10.0.0.1", header)).toBeUndefined(),
  );

  it("is not known where the connection is gone", () => {
    expect(client(undefined, "192.0.2.9")).toBeUndefined();
  });

  it.each([
    ["for=192.0.2.9;proto=https;by=10.0.0.1", "192.0.2.9"],
    ['For="[2001:db8:2::9]:4711"', "2001:db8:2:0:0:0:0:9"],
    ['for=198.51.100.7, for=192.0.2.9;host="a,b;c", for=10.0.0.2', "192.0.2.9"],
  ])("is read from RFC 7239's %j", (header, address) => {
    expect(client("10.0.0.1", header, forwarded)).toBe(address);
  });

  it.each([
    "for=unknown",
    "for=_hidden",
    "proto=https",
    "192.0.2.9",
    "for=192.0.2.9;for=192.0.2.8",
    'for="192.0.2.9',
  ])("is not known where RFC 7239's header says %j", (header) => {
    expect(client("10.0.0.1", header, forwarded)).toBeUndefined();
  });
});
