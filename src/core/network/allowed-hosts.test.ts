import { describe, expect, it } from "vitest";
import {
  createAllowedHosts,
  mayConnect,
  parseAllowedHost,
  placeOfHost,
  type HostPlace,
} from "./allowed-hosts.ts";

describe("parseAllowedHost", () => {
  it.each([
    ["localhost:11434", { hostname: "localhost", port: 11434 }],
    [" LocalHost ", { hostname: "localhost", port: null }],
    ["vllm.internal.:8000", { hostname: "vllm.internal", port: 8000 }],
    ["2130706433:80", { hostname: "127.0.0.1", port: 80 }],
    ["[::1]:11434", { hostname: "::1", port: 11434 }],
    ["[0:0::1]", { hostname: "::1", port: null }],
    ["169.254.1.2", { hostname: "169.254.1.2", port: null }],
  ])("takes %j", (text, host) => {
    expect(parseAllowedHost(text)).toEqual(host);
  });

  it.each([
    "",
    "http://localhost",
    "localhost/v1",
    "user@localhost",
    "localhost:port",
    "localhost:70000",
    "::1",
    "a b",
    "*",
    "169.254.169.254",
    "[::ffff:169.254.169.254]:80",
    "metadata.google.internal",
    "0.0.0.0",
  ])("refuses %j", (text) => {
    expect(parseAllowedHost(text)).toBeUndefined();
  });
});

describe("createAllowedHosts", () => {
  const hosts = createAllowedHosts(["localhost:11434", "10.1.2.3", "[::1]:8000"]);

  it("allows a host at its port, or at every port where none is named, and no other", () => {
    expect(hosts.has("localhost", 11434)).toBe(true);
    expect(hosts.has("LOCALHOST.", 11434)).toBe(true);
    expect(hosts.has("localhost", 11435)).toBe(false);
    expect(hosts.has("10.1.2.3", 1)).toBe(true);
    expect(hosts.has("[::1]", 8000)).toBe(true);
    expect(hosts.has("10.1.2.30", 1)).toBe(false);
    expect(hosts.has("sub.localhost", 11434)).toBe(false);
  });

  it("does not take one name of a machine for another", () => {
    expect(hosts.has("127.0.0.1", 11434)).toBe(false);
  });
});

it.each<[string, HostPlace]>([
  ["api.openai.com", "public"],
  ["8.8.8.8", "public"],
  ["localhost", "own"],
  ["localhost.", "own"],
  ["vllm", "own"],
  ["a.localhost", "own"],
  ["printer.local", "own"],
  ["models.internal", "own"],
  ["llm.models.svc.cluster.local", "own"],
  ["127.0.0.1", "own"],
  ["[::ffff:7f00:1]", "own"],
  ["fe80::1", "own"],
  ["metadata", "metadata"],
  ["METADATA.google.internal.", "metadata"],
  ["[::ffff:a9fe:a9fe]", "metadata"],
  ["0.0.0.0", "unroutable"],
  ["[::]", "unroutable"],
])("%s is %s", (host, place) => {
  expect(placeOfHost(host)).toBe(place);
});

describe("mayConnect", () => {
  it("lets a host that is not allowed lead to the internet alone", () => {
    expect(mayConnect("8.8.8.8", false)).toBe(true);
    for (const address of ["127.0.0.1", "::1", "10.0.0.1", "fe80::1", "::ffff:192.168.0.1"]) {
      expect([address, mayConnect(address, false)]).toEqual([address, false]);
      expect([address, mayConnect(address, true)]).toEqual([address, true]);
    }
  });

  it("lets no host lead to a cloud's metadata service, or to what is no address", () => {
    for (const address of ["169.254.169.254", "fd00:ec2::254", "0.0.0.0", "::", "localhost", ""]) {
      expect([address, mayConnect(address, true)]).toEqual([address, false]);
    }
  });
});
