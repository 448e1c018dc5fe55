import * as fc from "fast-check";
import { expect, it } from "vitest";
import { HeaderFields } from "./header-fields.ts";

it("finds what was added under a name, and nothing under another", () => {
  // Of lengths that are alike, and of some that are alike but for 32.
  const name = fc.constantFrom("a", "b", "aa", "a".repeat(33), "c".repeat(34), "date", "host");
  fc.assert(
    fc.property(fc.array(fc.tuple(name, fc.string())), name, (added, asked) => {
      const fields = new HeaderFields();
      for (const [one, value] of added) fields.add(one, value);
      const values = added.filter(([one]) => one === asked).map(([, value]) => value);
      expect(fields.has(asked)).toBe(values.length > 0);
      expect(fields.get(asked)).toBe(values.length === 0 ? undefined : values.join(", "));
      expect(fields.count).toBe(added.length);
    }),
  );
});
