import * as fc from "fast-check";
import { expect, test } from "vitest";
import { packRuns, unpackParameters } from "./packed-parameters.ts";

const parameter = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.constant(null),
  fc.maxSafeInteger(),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.double({ noNaN: true }),
  fc.uint8Array(),
);
const asBound = (value: unknown): unknown =>
  typeof value === "number" && Number.isSafeInteger(value) ? BigInt(value) : value;

test("parameters arrive as they were sent, as far as they are bound", () => {
  fc.assert(
    fc.property(fc.array(parameter), (parameters) => {
      // Frozen, as Kysely has them.
      const packs = structuredClone(packRuns(Object.freeze(parameters), 1));
      expect(packs.flatMap(unpackParameters).map(asBound)).toEqual(parameters.map(asBound));
    }),
  );
});

test("what JSON keeps is sent as one text, anything else as it is", () => {
  expect(packRuns(["\ud800", 1, 2n, null], 4)).toEqual(['["\\ud800",1,2,null]']);
  for (const value of [2n ** 60n, 0.5, new Uint8Array(1)]) {
    expect(packRuns(["a", value], 2)).toEqual([["a", value]]);
  }
});

test("many runs are sent in packs of whole runs, in their order, each far from a large object", () => {
  for (const [perRun, runs] of [
    [42, 256],
    [3000, 2],
    [5000, 3],
    [1, 1],
  ] as const) {
    const parameters = Array.from({ length: perRun * runs }, (_, i) => i);
    const packs = packRuns(parameters, perRun).map(unpackParameters);
    expect(packs.flat()).toEqual(parameters);
    for (const pack of packs) {
      expect(pack.length % perRun).toBe(0);
      expect(pack.length).toBeLessThanOrEqual(Math.max(perRun, 3000));
    }
  }
});
