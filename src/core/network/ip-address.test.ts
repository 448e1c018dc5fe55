import * as fc from "fast-check";
import { expect, test } from "vitest";
import { addressKind, type AddressKind } from "./ip-address.ts";

const KNOWN: readonly (readonly [AddressKind, readonly string[]])[] = [
  ["public", ["8.8.8.8", "1.0.0.0", "172.15.255.255", "172.32.0.0", "100.63.255.255", "11.0.0.0"]],
  ["public", ["223.255.255.255", "169.253.255.255", "2606:4700::1111", "2a00:1450:4001:80b::200e"]],
  ["public", ["::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::1", "[2606:4700::1111]"]],
  ["loopback", ["127.0.0.1", "127.255.255.254", "::1", "0:0:0:0:0:0:0:1", "[::1]"]],
  ["loopback", ["::ffff:127.0.0.1", "::FFFF:7f00:1", "::127.0.0.1", "64:ff9b::7f00:1"]],
  ["loopback", ["2002:7f00:1::", "::ffff:0:127.0.0.1"]],
  ["private", ["10.0.0.0", "10.255.255.255", "172.16.0.1", "172.31.255.255", "192.168.1.1"]],
  ["private", ["100.64.0.1", "100.127.255.255", "198.18.0.1", "fc00::1", "fdff::1", "fec0::1"]],
  ["private", ["::ffff:10.1.2.3", "::ffff:c0a8:101", "64:ff9b:1::1", "2002:a00:1::1"]],
  ["linkLocal", ["169.254.1.2", "fe80::1", "fe80::1%eth0", "febf::1", "::ffff:169.254.1.2"]],
  ["metadata", ["169.254.169.254", "169.254.170.2", "100.100.100.200", "168.63.129.16"]],
  ["metadata", ["::ffff:169.254.169.254", "::ffff:a9fe:a9fe", "fd00:ec2::254", "fd20:ce::254"]],
  ["metadata", ["64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::", "::169.254.169.254", "192.0.0.192"]],
  ["unroutable", ["0.0.0.0", "0.1.2.3", "255.255.255.255", "224.0.0.1", "240.0.0.1", "192.0.2.1"]],
  ["unroutable", ["::", "ff02::1", "2001:db8::1", "2001::1", "100::1", "4000::1", "::0.0.0.0"]],
];

test.each(KNOWN.flatMap(([kind, addresses]) => addresses.map((address) => [address, kind])))(
  "%s is %s",
  (address, kind) => {
    expect(addressKind(address)).toBe(kind);
  },
);

test.each([
  "",
  "localhost",
  "1.2.3",
  "1.2.3.4.5",
  "256.1.1.1",
  "01.2.3.4",
  "0x7f.0.0.1",
  "2130706433",
  ":",
  ":::",
  "1::2::3",
  "1:2:3:4:5:6:7",
  "1:2:3:4:5:6:7:8:9",
  "1:2:3:4:5:6:7::8",
  "12345::",
  "g::1",
  "1.2.3.4::",
  "::1.2.3.256",
])("%j is no address", (text) => {
  expect(addressKind(text)).toBeUndefined();
});

test("every way of writing an IPv4 address that a URL takes ends in the kind of the address", () => {
  fc.assert(
    fc.property(fc.nat(0xffff_ffff), (value) => {
      const bytes = [24, 16, 8, 0].map((shift) => (value >>> shift) & 0xff);
      const dotted = bytes.join(".");
      const hosts = [
        String(value),
        `0x${value.toString(16)}`,
        `0${value.toString(8)}`,
        bytes.map((byte) => `0${byte.toString(8)}`).join("."),
        bytes.map((byte) => `0x${byte.toString(16)}`).join("."),
        `${bytes[0]}.${value & 0xff_ffff}`,
        `[::ffff:${dotted}]`,
        `[::ffff:${(value >>> 16).toString(16)}:${(value & 0xffff).toString(16)}]`,
        encodeURIComponent(dotted).replace(".", "%2e"),
      ];
      const kind = addressKind(dotted);
      for (const host of hosts) {
        expect([host, addressKind(new URL(`http://${host}/`).hostname)]).toEqual([host, kind]);
      }
    }),
    { seed: 7, numRuns: 500 },
  );
});
