import * as fc from "fast-check";
import { expect, test } from "vitest";
import { parseFault } from "./parse-fault.ts";

test.each([
  ["ok", { name: "ok" }],
  ["503", { name: "status", status: 503, retryAfterSeconds: null, bodyForm: "json" }],
  ["429;retry-after=2", { name: "status", status: 429, retryAfterSeconds: 2 }],
  ["502; body=html ; retry-after-ms=1500", { status: 502, bodyForm: "html", retryAfterMs: 1500 }],
  ["stall; for-ms=250", { name: "stall", forMs: 250 }],
  ["wrong-usage; count=negative", { name: "wrong-usage", count: "negative" }],
  ["slow", { name: "slow", tokensPerSecond: 2 }],
])("reads %s", (text, kind) => {
  expect(parseFault(text)).toMatchObject({ kind, afterTokens: null, times: null, every: 1, text });
});

test("reads where and how often a fault strikes", () => {
  expect(parseFault("cut; after-tokens=5; every=3; times=2; label=a.b")).toMatchObject({
    afterTokens: 5,
    every: 3,
    times: 2,
  });
});

test.each([
  ["", "is no fault; it is a status from 400 to 599 or one of ok, insufficient-quota, stall"],
  ["200", '"200" is no fault'],
  ["600", '"600" is no fault'],
  ["status", '"status" is no fault'],
  ["toString", '"toString" is no fault'],
  ["429;", '"" is no parameter'],
  ["429; retry-after", '"retry-after" is no parameter; one looks like times=3'],
  ["429, retry-after=2", '"429, retry-after=2" is no fault'],
  ["429; retry-after=-1", 'retry-after takes a whole number from 0 to 86400, not "-1"'],
  ["429; retry-after=1.5", 'not "1.5"'],
  ["429; for-ms=3", '429 takes no "for-ms"; it takes after-tokens, retry-after'],
  ["cut; times=0", 'times takes a whole number from 1 to 1000000, not "0"'],
  ["cut; times=1; times=2", "times is there twice"],
  ["wrong-usage", "needs count=, one of missing, zero, huge, negative, fraction, text"],
  [
    "wrong-usage; count=big",
    'count is one of missing, zero, huge, negative, fraction, text, not "big"',
  ],
  [`cut; label=${"x".repeat(300)}`, "256 characters at most"],
])("says what is wrong with %j", (text, problem) => {
  expect(parseFault(text)).toContain(problem);
});

test("any text is a fault or a problem in words, never an exception", () => {
  const words = fc.constantFrom("429", "cut", "stall", ";", "=", " ", "times=3", "for-ms=1", "x");
  const text = fc.oneof(
    fc.string(),
    fc.array(words).map((parts) => parts.join("")),
  );
  fc.assert(
    fc.property(text, (value) => {
      const fault = parseFault(value);
      expect(typeof fault === "string" ? fault : fault.text).toBeTruthy();
    }),
  );
});
