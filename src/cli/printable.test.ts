import * as fc from "fast-check";
import { expect, test } from "vitest";
import { printable, printableJson } from "./printable.ts";

const ESCAPE = "\u001b";

test("nothing that moves a cursor, ends a line, reorders or hides text gets through", () => {
  expect(printable(`a${ESCAPE}[2Jb\r\nc\u009bd`)).toBe("a\\u{1b}[2Jb\\u{d}\\u{a}c\\u{9b}d");
  expect(printable("pay \u202erevolc\u202c \u200bme\ufeff\u2028")).not.toMatch(
    /[\u202e\u202c\u200b\ufeff\u2028]/,
  );
});

test("what people write is left alone", () => {
  const text = "Müller & Söhne – 株式会社 👍🏽 עברית";
  expect(printable(text)).toBe(text);
});

test("JSON reads back as the same value, and holds no such character", () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.string({ unit: "binary" }), (value, text) => {
      const json = printableJson({ value, [text]: `${text}${ESCAPE}` });
      expect(JSON.parse(json)).toEqual(
        JSON.parse(JSON.stringify({ value, [text]: `${text}${ESCAPE}` })),
      );
      // oxlint-disable-next-line no-control-regex
      expect(json).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/);
    }),
  );
});
