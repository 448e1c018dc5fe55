import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { quoteInput } from "./quote-input.ts";

describe("quoteInput", () => {
  it("quotes a name as it is", () => {
    expect(quoteInput("acme & söhne")).toBe("`acme & söhne`");
  });

  it("lets nothing through that ends a line, steers a terminal or ends the quotation", () => {
    expect(quoteInput("a\nb\u001B[2J\u202Ec`d")).toBe("`a\u{FFFD}b\u{FFFD}[2J\u{FFFD}c\u{FFFD}d`");
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 200 }), (text) => {
        const quoted = quoteInput(text);
        expect(quoted).toMatch(/^`[^`\p{Cc}\p{Zl}\p{Zp}]*`$/u);
        expect(quoted.isWellFormed()).toBe(true);
        expect(quoted.length).toBeLessThanOrEqual(63);
      }),
    );
  });
});
