import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { areSendable, hasOption, parseLength, unsendableNameIn } from "./field-text.ts";

describe("fields can be sent", () => {
  it("if all their names are tokens in lower case and no value holds a control character", () => {
    const piece = fc.string({ unit: "binary-ascii", maxLength: 6 });
    fc.assert(
      fc.property(fc.array(piece), fc.array(piece), (names, values) => {
        const areNames = names.every((name) => /^[!#$%&'*+\-.^_`|~0-9a-z]*$/.test(name));
        const areValues = values.every((value) =>
          value.split("").every((one) => one === "\t" || (one >= " " && one !== "\u007f")),
        );
        expect(areSendable(names.join(""), values.join(""))).toBe(areNames && areValues);
      }),
    );
    expect(areSendable("x-a", "\u00e4")).toBe(true);
    expect(areSendable("x-a", "\u20ac")).toBe(false);
    expect(areSendable("x-\u00e4", "")).toBe(false);
    expect(unsendableNameIn(["a", "b", "c", "d\n", "E", "f"])).toBe("c");
  });
});

describe("a length", () => {
  it("is a number in digits that is exact", () => {
    fc.assert(
      fc.property(fc.nat({ max: 999_999_999_999_999 }), (length) => {
        expect(parseLength(String(length))).toBe(length);
      }),
    );
    expect(parseLength("007")).toBe(7);
    for (const text of ["", " 1", "1 ", "+1", "-1", "1.0", "1e3", "0x1", "1,1", "\u0661"]) {
      expect(parseLength(text), text).toBeUndefined();
    }
    expect([parseLength("9".repeat(15)), parseLength("9".repeat(16))]).toEqual([
      999_999_999_999_999,
      undefined,
    ]);
  });
});

describe("an option of a connection", () => {
  it("is one of a list, in capitals or not", () => {
    expect(["close", "CLOSE", "x, Close", "keep-alive ,close"].map(isClosed)).toEqual([
      true,
      true,
      true,
      true,
    ]);
    expect([undefined, "", "keep-alive", "closed", "x-close"].map(isClosed)).toEqual([
      false,
      false,
      false,
      false,
      false,
    ]);
    expect(hasOption("Keep-Alive, x", "keep-alive")).toBe(true);
    expect(hasOption("close", "keep-alive")).toBe(false);
  });
});

const isClosed = (connection: string | undefined): boolean => hasOption(connection, "close");
