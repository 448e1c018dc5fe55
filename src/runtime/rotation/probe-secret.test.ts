import { expect, test } from "vitest";
import { madeUpLike } from "./probe-secret.ts";

test("a made-up secret is of the same kind and length, and no letter of it the same", () => {
  const secret = ["sk", "proj", "aZ9".repeat(12)].join("-");
  const made = madeUpLike(secret);
  expect(made).toMatch(/^sk-proj-(?:[a-z][A-Z][0-9]){12}$/);
  for (let at = "sk-proj-".length; at < secret.length; at += 1) {
    expect(made[at]).not.toBe(secret[at]);
  }
  expect(madeUpLike("0123456789abcdef")).toMatch(/^[0-9]{10}[a-z]{6}$/);
});
