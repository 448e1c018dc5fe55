import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MAX_RUN_BYTES, sliceText } from "./text-slices.ts";

describe("sliceText", () => {
  it.each([
    "",
    "Hello, world!",
    "The price of 1,000,000 tokens rose by 3.5% in 2026.\n".repeat(500),
    JSON.stringify(Array.from({ length: 500 }, (_, i) => ({ id: `evt_${i}`, cost: "0.000975" }))),
    "1".repeat(10_000),
  ])("leaves ordinary text whole (%#)", (text) => {
    expect(sliceText(text).join("")).toBe(text);
    expect(sliceText(text).length).toBeLessThanOrEqual(1);
  });

  it.each(["a", " ", "\n", "!", "汉", "é", "😀", "\n/", "aé", "!…", " \u3000", "\u0301"])(
    "cuts an endless run of %j",
    (unit) => {
      for (const slice of sliceText(unit.repeat(5000))) {
        expect(Buffer.byteLength(slice)).toBeLessThanOrEqual(MAX_RUN_BYTES);
      }
    },
  );

  it("cuts where a space is, if there is one", () => {
    const word = "слово".repeat(4);
    const slices = sliceText(Array.from({ length: 40 }, () => word).join(" "));
    expect(slices.length).toBeGreaterThan(5);
    for (const slice of slices.slice(1)) expect(slice.startsWith(" ")).toBe(true);
  });

  const unit = fc.oneof(
    fc.constantFrom("a", "Z", "7", " ", "\n", "!", "/", "é", "汉", "😀", "\ud800", "\udc00"),
    fc.string({ unit: "binary", maxLength: 3 }),
  );
  const text = fc
    .array(fc.tuple(unit, fc.integer({ min: 1, max: 400 })), { maxLength: 12 })
    .map((runs) => runs.map(([part, count]) => part.repeat(count)).join(""));

  it("loses and adds nothing, and divides no surrogate pair", () => {
    fc.assert(
      fc.property(text, (value) => {
        const slices = sliceText(value);
        expect(slices.join("")).toBe(value);
        for (const [index, slice] of slices.entries()) {
          const isPair =
            /[\ud800-\udbff]$/.test(slice) && /^[\udc00-\udfff]/.test(slices[index + 1] ?? "");
          expect(slice === "" || isPair).toBe(false);
        }
      }),
    );
  });

  it("leaves no piece longer than the limit, however the tokenizer splits", () => {
    // A piece ends at least where letters, digits and the rest meet; one character may lead, a contraction follow.
    const pieces = /[\p{L}\p{M}]+|\p{N}+|[^\p{L}\p{M}\p{N}]+/gu;
    fc.assert(
      fc.property(text, (value) => {
        for (const slice of sliceText(value)) {
          for (const [piece] of slice.matchAll(pieces)) {
            const isDigits = /^\p{N}/u.test(piece);
            expect(isDigits || Buffer.byteLength(piece) <= MAX_RUN_BYTES + 4).toBe(true);
          }
        }
      }),
    );
  });
});
