import { createHmac, randomBytes } from "node:crypto";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { IdFactory } from "../ids/ids.ts";
import {
  CLIENT_TOKEN_ENDPOINTS,
  type ClientTokenClaims,
  createClientToken,
  previewClientToken,
  readClientToken,
} from "./client-token.ts";

const ids = new IdFactory({ nowMs: () => 1_767_225_600_000, randomBytes });
const signer = (key: string) => (text: string) =>
  createHmac("sha256", key).update(text).digest("hex");
const sign = signer("a key");

const claims: ClientTokenClaims = {
  id: ids.create("ctk"),
  keyId: ids.create("key"),
  environmentId: ids.create("env"),
  signingKey: 0,
  madeAfter: 17,
  customer: "acme",
  feature: null,
  models: ["gpt-4o-mini"],
  endpoints: ["chat/completions"],
  limits: { requestsPerMinute: 20, tokensPerMinute: null, concurrency: null },
  expiresAtMs: 1_767_225_600_000,
};

describe("a client token", () => {
  it("comes back as it was made, whatever its claims, and only under the key that has signed it", () => {
    const amount = fc.option(fc.integer({ min: 1, max: 1e12 }));
    const made = fc.record({
      customer: fc.string({ minLength: 1, maxLength: 50, unit: "grapheme" }),
      feature: fc.option(fc.string({ maxLength: 20 })),
      models: fc.array(fc.string({ maxLength: 20 }), { minLength: 1, maxLength: 4 }),
      endpoints: fc.uniqueArray(fc.constantFrom(...CLIENT_TOKEN_ENDPOINTS), { minLength: 1 }),
      signingKey: fc.nat(),
      limits: fc.record({
        requestsPerMinute: amount,
        tokensPerMinute: amount,
        concurrency: amount,
      }),
    });
    fc.assert(
      fc.property(made, (some) => {
        const whole = { ...claims, ...some };
        const token = createClientToken("production", whole, sign);
        expect(token).toMatch(/^kwc_live_[\w-]+\.[\w-]{43}$/);
        const read = readClientToken(token);
        expect(read?.claims).toEqual(whole);
        expect([read?.isSignedBy(sign), read?.isSignedBy(signer("another key"))]).toEqual([
          true,
          false,
        ]);
      }),
      { numRuns: 100 },
    );
  });

  it("with any one character altered is none, or not signed", () => {
    const token = createClientToken("development", claims, sign);
    for (let at = 0; at < token.length; at += 1) {
      for (const other of ["A", "b", "_", "."]) {
        if (token.charAt(at) === other) continue;
        const altered = token.slice(0, at) + other + token.slice(at + 1);
        expect(readClientToken(altered)?.isSignedBy(sign) ?? false).toBe(false);
      }
    }
  });

  it("of another environment's kind does not pass for this one's, and neither does one in another spelling", () => {
    const token = createClientToken("development", claims, sign);
    const moved = token.replace("kwc_dev_", "kwc_live_");
    expect(readClientToken(moved)?.isSignedBy(sign)).toBe(false);
    for (const spelled of [`${token}=`, `${token} `, token.replace(".", "=."), `${token}.`]) {
      expect(readClientToken(spelled)?.isSignedBy(sign) ?? false).toBe(false);
    }
  });

  it.each([
    ["no JSON", "x"],
    ["no object", "7"],
    ["null", "null"],
    ["nothing", "{}"],
    ["another key's id", JSON.stringify({ i: "ctk_1", k: "key_1", n: "env_1" })],
  ])("that has %s for claims is none, whoever signed it", (_what, body) => {
    const signed = `kwc_live_${Buffer.from(body).toString("base64url")}`;
    const tag = Buffer.from(sign(signed), "hex").toString("base64url");
    expect(readClientToken(`${signed}.${tag}`)).toBeUndefined();
  });

  it("is read up to a limit, and shown by its ends", () => {
    expect(readClientToken(`kwc_live_${"A".repeat(5000)}.x`)).toBeUndefined();
    const token = createClientToken("staging", claims, sign);
    expect(previewClientToken(token)).toBe(`kwc_stg_…${token.slice(-4)}`);
    expect(previewClientToken("nothing")).toBe("…");
  });
});
