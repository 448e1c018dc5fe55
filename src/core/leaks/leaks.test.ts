import { describe, expect, it } from "vitest";
import { gatewayKeyOutcome } from "./leak.ts";
import { placeOfLeak, sourceOfLeak } from "./place-of-leak.ts";
import { ReportThrottle } from "./report-throttle.ts";

describe("what becomes of a reported gateway key", () => {
  it("is decided by the mode of the rule, and of an old secret that one alone", () => {
    expect(gatewayKeyOutcome("enforce", false)).toBe("revoked");
    expect(gatewayKeyOutcome("enforce", true)).toBe("old_secret_ended");
    expect(gatewayKeyOutcome("warn", true)).toBe("still_valid");
    expect(gatewayKeyOutcome("off", false)).toBe("noted");
  });
});

describe("where a key was found", () => {
  const secret = "kw_test_Found";
  it.each([
    ["https://example.com/a/b.js", "https://example.com/a/b.js"],
    ["https://anna:word@example.com/a?key=1#line", "https://example.com/a"],
    [`https://example.com/raw/${secret}`, null],
    ["https://example.com/raw/kw%5Ftest_Found", null],
    [`https://${secret}.example.com/`, null],
    ["https://example.com/%zz", "https://example.com/%zz"],
    ["javascript:alert(1)", null],
    ["file:///etc/passwd", null],
    ["not a url", null],
    [`https://example.com/${"x".repeat(600)}`, null],
    [undefined, null],
  ])("of %s keeps %s", (url, kept) => {
    expect(placeOfLeak(url, secret)).toBe(kept);
  });

  it("keeps a short plain word of what found it, and nothing that has the key in it", () => {
    expect(sourceOfLeak(" issue_title ", secret)).toBe("issue_title");
    expect(sourceOfLeak(`in ${secret}`, secret)).toBeNull();
    expect(sourceOfLeak("<b>commit</b>", secret)).toBeNull();
    expect(sourceOfLeak("x".repeat(65), secret)).toBeNull();
    expect(sourceOfLeak(undefined, secret)).toBeNull();
  });
});

const takeMany = (throttle: ReportThrottle, count: number, address: string | null, nowMs = 0) =>
  Array.from({ length: count }, () => throttle.take(address, 1, nowMs));

describe("the throttle of reports", () => {
  it("takes twenty of a network at once, then one every three seconds", () => {
    const throttle = new ReportThrottle();
    expect(takeMany(throttle, 21, "192.0.2.1")).toEqual([...Array(20).fill(0), 3000]);
    expect(throttle.take("192.0.2.2", 1, 0)).toBe(0);
    expect(throttle.take("192.0.2.1", 1, 2999)).toBe(1);
    expect(throttle.take("192.0.2.1", 1, 3000)).toBe(0);
  });

  it("counts all addresses of an IPv6 network as one, and requests without an address together", () => {
    const throttle = new ReportThrottle();
    takeMany(throttle, 20, "2001:db8:1:2::1");
    expect(throttle.take("2001:db8:1:2:ffff::9", 1, 0)).toBeGreaterThan(0);
    expect(throttle.take("2001:db8:1:3::1", 1, 0)).toBe(0);
    takeMany(throttle, 20, null);
    expect(throttle.take(null, 1, 0)).toBeGreaterThan(0);
  });

  it("has an end for everybody together", () => {
    const throttle = new ReportThrottle();
    const taken = Array.from({ length: 200 }, (_, i) => throttle.take(`192.0.2.${i}`, 100, 0));
    expect(taken.filter((waitMs) => waitMs === 0)).toHaveLength(30);
  });

  it("takes a first report of a few from a network that has sent none lately, whatever others have sent", () => {
    const throttle = new ReportThrottle();
    for (let i = 0; i < 40; i += 1) throttle.take(`192.0.2.${i}`, 100, 0);
    expect(throttle.take("2001:db8:1:2::1", 6, 0)).toBeGreaterThan(0);
    expect(throttle.take("2001:db8:1:2::1", 5, 0)).toBe(0);
    expect(throttle.take("2001:db8:1:2::2", 1, 0)).toBeGreaterThan(0);
    expect(throttle.take("2001:db8:1:3::1", 1, 0)).toBe(0);
  });

  it("lets two who use their share up keep nobody else from more than a few", () => {
    const throttle = new ReportThrottle();
    throttle.take("192.0.2.1", 100, 0);
    throttle.take("192.0.2.2", 100, 0);
    expect(throttle.take("192.0.2.3", 100, 0)).toBe(0);
  });

  it("gives nothing for a clock that steps back and forth", () => {
    const throttle = new ReportThrottle();
    takeMany(throttle, 20, "192.0.2.1", 10_000_000);
    expect(throttle.take("192.0.2.1", 1, 0)).toBeGreaterThan(0);
    expect(throttle.take("192.0.2.1", 1, 1)).toBeGreaterThan(0);
  });
});
