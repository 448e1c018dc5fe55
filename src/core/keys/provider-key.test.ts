import { randomBytes } from "node:crypto";
import { describe, expect, test } from "vitest";
import { createAdminToken } from "./admin-token.ts";
import { createGatewayKey } from "./gateway-key.ts";
import { isKeywardKey, previewProviderKey } from "./provider-key.ts";

const secretOf = (...prefix: readonly string[]) => [...prefix, `${"x".repeat(40)}9fQa`].join("-");

describe("previewProviderKey", () => {
  test.each([
    [secretOf("sk", "proj"), "sk-proj-…9fQa"],
    [secretOf("sk", "svcacct"), "sk-svcacct-…9fQa"],
    [secretOf("sk", "None"), "sk-None-…9fQa"],
    [secretOf("sk"), "sk-…9fQa"],
    [secretOf("sk", "ant", "api03"), "sk-ant-api03-…9fQa"],
    [secretOf("unheard", "of"), "…9fQa"],
  ])("shows no more than the type and the last four characters", (secret, preview) => {
    expect(previewProviderKey(secret)).toBe(preview);
  });

  test("shows nothing of the secret part of a short one", () => {
    expect(previewProviderKey(["sk", "shortone"].join("-"))).toBe("sk-…");
    expect(previewProviderKey("hunter2")).toBe("…");
    expect(previewProviderKey("")).toBe("…");
  });
});

describe("isKeywardKey", () => {
  test("knows every secret that Keyward issues, also a damaged one", () => {
    for (const kind of ["development", "staging", "production"] as const) {
      const key = createGatewayKey(kind, randomBytes);
      expect(isKeywardKey(key)).toBe(true);
      expect(isKeywardKey(key.slice(0, -3))).toBe(true);
    }
    expect(isKeywardKey(createAdminToken(randomBytes))).toBe(true);
  });

  test("takes no provider's key for one", () => {
    expect(isKeywardKey(secretOf("sk", "proj"))).toBe(false);
    expect(isKeywardKey(secretOf("kw"))).toBe(false);
  });
});
