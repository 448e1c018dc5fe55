import { assert, integer, property } from "fast-check";
import { expect, it } from "vitest";
import { isoInstant } from "./iso-instant.ts";

it("writes every instant from the year 1 to 9999 as JavaScript does", () => {
  const instants = integer({
    min: Date.UTC(1970, 0, 1) - 62_135_596_800_000,
    max: Date.UTC(9999, 0, 1),
  });
  assert(
    property(instants, (ms) => {
      expect(isoInstant(ms)).toBe(new Date(ms).toISOString());
    }),
  );
});
