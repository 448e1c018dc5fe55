import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseEmailAddress } from "./email-address.ts";

describe("an e-mail address", () => {
  it.each([
    [" Anna.B+x@Example.COM ", "anna.b+x@example.com"],
    ["jürgen@example.com", "jürgen@example.com"],
    ["用户@例子.中国", "用户@例子.中国"],
  ])("%s has one spelling", (text, address) => {
    expect(parseEmailAddress(text)).toBe(address);
  });

  it.each([
    ["a KELVIN SIGN, which folds to k", "\u{212A}im@example.com"],
    ["a capital that is no ASCII", "JÜRGEN@example.com"],
    ["a dotted capital I", "\u0130vy@example.com"],
    ["full-width letters", "ａnna@example.com"],
    ["a ligature", "o\uFB03ce@example.com"],
    ["an accent of its own", "jose\u0301@example.com"],
    ["a character that nobody sees", "an\u200Bna@example.com"],
    ["a soft hyphen", "an\u00ADna@example.com"],
    ["a change of direction", "an\u202Ena@example.com"],
    ["a control character", "an\u0007na@example.com"],
    ["no host", "anna@"],
    ["two signs", "anna@b@example.com"],
    ["more than there may be", `${"a".repeat(250)}@example.com`],
  ])("with %s is refused", (_, text) => {
    expect(parseEmailAddress(text)).toBeUndefined();
  });

  it("is what it was parsed to, whatever is folded or normalized later", () => {
    const part = fc.string({ unit: "grapheme", minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(part, part, (name, host) => {
        const address = parseEmailAddress(`${name}@${host}.com`);
        if (address === undefined) return;
        expect(parseEmailAddress(address)).toBe(address);
        expect(address.normalize("NFKC").toLowerCase()).toBe(address);
      }),
      { numRuns: 300 },
    );
  });
});
