import { expect, test } from "vitest";
import { oneLine } from "./one-line.ts";

test("a name stays on its line, in its direction, and within its length", () => {
  expect(oneLine("Ångström & Søn <1>", 40)).toBe("Ångström & Søn <1>");
  expect(oneLine("a\r\nSubject: b\u0000\u202e\u200b\u2028", 40)).toBe("a��Subject: b����");
  expect(oneLine("abcdef", 6)).toBe("abcdef");
  expect(oneLine("abcdefg", 6)).toBe("abcde…");
  expect(oneLine("abcd🙂x", 6)).toBe("abcd�…");
  expect(oneLine("\ud800", 5)).toBe("�");
});
