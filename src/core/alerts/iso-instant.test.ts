import { expect, test } from "vitest";
import { isoInstant } from "./iso-instant.ts";

test.each([
  [0, "1970-01-01T00:00:00.000Z"],
  [-1, "1969-12-31T23:59:59.999Z"],
  [1_769_850_000_000, "2026-01-31T09:00:00.000Z"],
  [1_772_323_199_999, "2026-02-28T23:59:59.999Z"],
  [951_782_400_007, "2000-02-29T00:00:00.007Z"],
])("writes %i as JavaScript does", (ms, text) => {
  expect(isoInstant(ms)).toBe(text);
});
