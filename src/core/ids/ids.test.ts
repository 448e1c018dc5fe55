import { randomBytes } from "node:crypto";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { IdFactory, isId } from "./ids.ts";

const source = (nowMs: () => number, bytes: (count: number) => Uint8Array = randomBytes) => ({
  nowMs,
  randomBytes: bytes,
});

describe("IdFactory", () => {
  test("makes ids that isId accepts under their own prefix only", () => {
    const id = new IdFactory(source(() => 1_700_000_000_000)).create("evt");
    expect(id).toMatch(/^evt_[0-9A-HJKMNP-TV-Z]{26}$/);
    expect(isId("evt", id)).toBe(true);
    expect(isId("req", id)).toBe(false);
    expect(isId("evt", `${id}0`)).toBe(false);
    expect(isId("evt", id.toLowerCase())).toBe(false);
  });

  test("spells time and randomness as the ULID specification does", () => {
    const zero = new IdFactory(
      source(
        () => 0,
        () => new Uint8Array(10),
      ),
    );
    expect(zero.create("evt")).toBe(`evt_${"0".repeat(26)}`);
    // The specification's own example of the time part: 1469918176385 is 01ARYZ6S41.
    const ones = new IdFactory(
      source(
        () => 1_469_918_176_385,
        () => new Uint8Array(10).fill(255),
      ),
    );
    expect(ones.create("evt")).toBe(`evt_01ARYZ6S41${"Z".repeat(16)}`);
    const bits = new IdFactory(
      source(
        () => 0,
        () => Uint8Array.of(0x08, 0x86, 0x42, 0x98, 0xe8, 0x4a, 0x96, 0xc6, 0xb9, 0xf0),
      ),
    );
    expect(bits.create("evt").slice(14)).toBe("123456789ABCDEFG");
  });

  test("makes strictly increasing ids while the clock stands still, steps back or jumps ahead", () => {
    const clocks = fc.array(fc.integer({ min: 0, max: 2 ** 48 - 1000 }), { minLength: 1 });
    fc.assert(
      fc.property(clocks, fc.boolean(), (times, isExhausted) => {
        let at = 0;
        const ids = new IdFactory(
          source(
            () => times[at] ?? 0,
            (count) => (isExhausted ? new Uint8Array(count).fill(255) : randomBytes(count)),
          ),
        );
        let previous = "";
        for (at = 0; at < times.length; at += 1) {
          for (let repeat = 0; repeat < 3; repeat += 1) {
            const id = ids.create("evt");
            expect(id > previous).toBe(true);
            expect(isId("evt", id)).toBe(true);
            previous = id;
          }
        }
      }),
    );
  });

  test("sorts by time across factories", () => {
    const early = new IdFactory(
      source(
        () => 1_000,
        () => new Uint8Array(10).fill(255),
      ),
    );
    const late = new IdFactory(
      source(
        () => 1_001,
        () => new Uint8Array(10),
      ),
    );
    expect(early.create("evt") < late.create("evt")).toBe(true);
  });

  test("never repeats an id between factories that share a millisecond", () => {
    const made = new Set<string>();
    for (let i = 0; i < 2_000; i += 1) made.add(new IdFactory(source(() => 5)).create("evt"));
    expect(made.size).toBe(2_000);
  });
});
