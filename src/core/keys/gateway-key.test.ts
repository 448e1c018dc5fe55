import { createHash, randomBytes } from "node:crypto";
import { crc32 } from "node:zlib";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ENVIRONMENT_KINDS } from "../environments/environment.ts";
import { createAdminToken, hashAdminToken, isAdminToken } from "./admin-token.ts";
import {
  createGatewayKey,
  GATEWAY_KEY_PREFIXES,
  hashGatewayKey,
  parseGatewayKey,
  previewGatewayKey,
} from "./gateway-key.ts";

const ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const kinds = fc.constantFrom(...ENVIRONMENT_KINDS);
const draws = fc.uint8Array({ minLength: 32, maxLength: 32 });

function numberOf(digits: string): bigint {
  let number = 0n;
  for (const digit of digits) number = number * 62n + BigInt(ALPHABET.indexOf(digit));
  return number;
}

function bytesToNumber(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes).toString("hex")}`);
}

describe("a gateway key", () => {
  test("reads back as the kind of environment it was made for", () => {
    fc.assert(
      fc.property(kinds, draws, (kind, bytes) => {
        const key = createGatewayKey(kind, () => bytes);
        expect(key).toMatch(/^kw_(dev|stg|live)_[0-9A-Za-z]{49}$/);
        expect(parseGatewayKey(key)).toEqual({ environmentKind: kind });
      }),
    );
  });

  test("spells every draw of 256 bits differently, so no digit is biased by a remainder", () => {
    fc.assert(
      fc.property(kinds, draws, (kind, bytes) => {
        const body = createGatewayKey(kind, () => bytes).slice(GATEWAY_KEY_PREFIXES[kind].length);
        expect(numberOf(body.slice(0, 43))).toBe(bytesToNumber(bytes));
      }),
    );
  });

  test.each([
    ["only zeros", new Uint8Array(32), "0".repeat(43)],
    ["only ones", new Uint8Array(32).fill(255), undefined],
    ["a leading zero byte", Uint8Array.from({ length: 32 }, (_, i) => i), undefined],
  ])("keeps its length when the random bytes are %s", (_, bytes, digits) => {
    const key = createGatewayKey("development", () => bytes);
    expect(key).toHaveLength("kw_dev_".length + 49);
    expect(parseGatewayKey(key)).toBeDefined();
    expect(numberOf(key.slice(7, 50))).toBe(bytesToNumber(bytes));
    if (digits !== undefined) expect(key.slice(7, 50)).toBe(digits);
  });

  test("carries the CRC-32 that zlib computes over everything before it, prefix included", () => {
    fc.assert(
      fc.property(kinds, draws, (kind, bytes) => {
        const key = createGatewayKey(kind, () => bytes);
        expect(numberOf(key.slice(-6))).toBe(BigInt(crc32(key.slice(0, -6))));
      }),
    );
  });

  test("is refused when any one character is changed to any other", () => {
    const change = fc.oneof(
      fc.constantFrom(...ALPHABET.split(""), "_", "-", " "),
      fc.string({ unit: "binary", minLength: 1, maxLength: 1 }),
    );
    fc.assert(
      fc.property(kinds, draws, fc.nat(), change, (kind, bytes, position, character) => {
        const key = createGatewayKey(kind, () => bytes);
        const at = position % key.length;
        fc.pre(character !== key.charAt(at));
        expect(parseGatewayKey(key.slice(0, at) + character + key.slice(at + 1))).toBeUndefined();
      }),
      { numRuns: 2000 },
    );
  });

  test("is refused when two neighbours are swapped, a character is lost, or one is added", () => {
    fc.assert(
      fc.property(kinds, draws, fc.nat(), (kind, bytes, position) => {
        const key = createGatewayKey(kind, () => bytes);
        const at = position % (key.length - 1);
        const [a, b] = [key.charAt(at), key.charAt(at + 1)];
        expect(parseGatewayKey(key.slice(0, at) + key.slice(at + 1))).toBeUndefined();
        expect(parseGatewayKey(key.slice(0, at) + a + key.slice(at))).toBeUndefined();
        if (a !== b) {
          expect(parseGatewayKey(key.slice(0, at) + b + a + key.slice(at + 2))).toBeUndefined();
        }
      }),
    );
  });

  test("is refused under another environment's prefix", () => {
    const key = createGatewayKey("development", randomBytes);
    expect(parseGatewayKey(key.replace("kw_dev_", "kw_stg_"))).toBeUndefined();
    expect(parseGatewayKey(key.replace("kw_dev_", "kw_live_"))).toBeUndefined();
    expect(isAdminToken(key.replace("kw_dev_", "kw_admin_"))).toBe(false);
  });

  test("is refused whatever else stands there, without reading hostile lengths", () => {
    const key = createGatewayKey("production", randomBytes);
    for (const text of [
      "",
      "kw_",
      "kw_live_",
      `${key}\n`,
      ` ${key}`,
      `${key}\0`,
      key.toUpperCase(),
    ]) {
      expect(parseGatewayKey(text)).toBeUndefined();
    }
    expect(parseGatewayKey(`kw_live_${"a".repeat(50_000_000)}`)).toBeUndefined();
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => parseGatewayKey(text) === undefined),
    );
  });

  test("is remembered as its SHA-256 and shown as its prefix and last four characters", () => {
    const key = createGatewayKey("staging", randomBytes);
    expect(hashGatewayKey(key)).toBe(createHash("sha256").update(key, "utf8").digest("hex"));
    expect(previewGatewayKey(key)).toBe(`kw_stg_…${key.slice(-4)}`);
    expect(previewGatewayKey("something else")).toBe("…");
  });

  test("is not made from a random source that gives too little", () => {
    expect(() => createGatewayKey("development", () => new Uint8Array(16))).toThrow(
      "32 random bytes",
    );
  });
});

describe("an admin token", () => {
  test("has its own prefix and the same checksum, and is no gateway key", () => {
    const token = createAdminToken(randomBytes);
    expect(token).toMatch(/^kw_admin_[0-9A-Za-z]{49}$/);
    expect(isAdminToken(token)).toBe(true);
    expect(isAdminToken(`${token}0`)).toBe(false);
    expect(parseGatewayKey(token)).toBeUndefined();
    expect(hashAdminToken(token)).toBe(createHash("sha256").update(token).digest("hex"));
  });
});
