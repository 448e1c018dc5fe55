import { describe, expect, test } from "vitest";
import { canBeOneSecret, isShownAs } from "./redacted-secret.ts";

const secret = ["sk", "svcacct", `a1B${"x".repeat(40)}9fQa`].join("-");

describe("isShownAs", () => {
  test.each(["sk-svcacct-a1B…9fQa", "sk-svca**********9fQa", "sk-...9fQa", "sk-**fQa"])(
    "knows a secret by the beginning and the end that are shown",
    (redacted) => {
      expect(isShownAs(secret, redacted)).toBe(true);
    },
  );

  test.each(["sk-svcacct-a1C…9fQa", "sk-svca****9fQb", "sk-svcacct-a1B…", "", secret, "…Qa"])(
    "takes none for it that is shown otherwise, or of which too little is shown",
    (redacted) => {
      expect(isShownAs(secret, redacted)).toBe(false);
    },
  );
});

test("canBeOneSecret compares what both sides show, however much either does", () => {
  expect(canBeOneSecret("sk-svcacct-…9fQa", "sk-svca****9fQa")).toBe(true);
  expect(canBeOneSecret("sk-svcacct-…9fQa", "sk-svcacct-a1B...fQa")).toBe(true);
  expect(canBeOneSecret("sk-proj-…9fQa", "sk-svca****9fQa")).toBe(false);
  expect(canBeOneSecret("sk-proj-…9fQa", "sk-proj-…9fQb")).toBe(false);
  expect(canBeOneSecret("…", "sk-proj-…9fQb")).toBe(false);
});
