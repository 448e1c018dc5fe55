import * as fc from "fast-check";
import { expect, it } from "vitest";
import { parseJsonText } from "./parse-json-text.ts";

function outcomeOf(parse: (text: string) => unknown, text: string): unknown {
  try {
    return { value: parse(text) };
  } catch {
    return "refused";
  }
}

it("reads what JSON.parse reads, and refuses what it refuses", () => {
  const written = fc.json();
  const nearly = fc
    .tuple(
      fc.constantFrom('"', "0", "1", "-", "t", "n", "", " "),
      fc.string(),
      fc.constantFrom('"', "", " "),
    )
    .map((parts) => parts.join(""));
  const digits = fc.stringMatching(/^[0-9.eE+-]{1,20}$/);
  const strings = fc.string({ unit: "binary" }).map((text) => `"${text}"`);
  fc.assert(
    fc.property(fc.oneof(written, nearly, digits, strings), (text) => {
      expect(outcomeOf(parseJsonText, text)).toEqual(outcomeOf(JSON.parse, text));
    }),
    { numRuns: 2000 },
  );
});

it.each([
  "",
  '"',
  '""',
  "0",
  "00",
  "01",
  "-0",
  "123456789012345",
  "1234567890123456789",
  '"\\u0041"',
  '"\t"',
  "null",
  "nul",
  "true",
  "false",
  "truer",
])("takes %j as JSON.parse does", (text) => {
  expect(outcomeOf(parseJsonText, text)).toEqual(outcomeOf(JSON.parse, text));
});
