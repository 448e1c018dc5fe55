import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readLines } from "./read-lines.ts";

async function collect(pieces: Iterable<Uint8Array>): Promise<string[]> {
  const lines: string[] = [];
  for await (const line of readLines(pieces as never, () => undefined)) lines.push(line);
  return lines;
}

function* endless(): Generator<Uint8Array> {
  for (;;) yield Buffer.alloc(64 * 1024, "x");
}

describe("readLines", () => {
  it("finds the same lines however the stream is cut into pieces", async () => {
    const line = fc
      .string({ unit: "grapheme", maxLength: 20 })
      .map((text) => text.replaceAll("\n", ""));
    await fc.assert(
      fc.asyncProperty(
        fc.array(line, { maxLength: 8 }),
        fc.array(fc.nat(200), { maxLength: 12 }),
        async (lines, cuts) => {
          const bytes = Buffer.from(lines.map((text) => `${text}\n`).join(""));
          const ends = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].toSorted(
            (a, b) => a - b,
          );
          const pieces = [...ends, bytes.length].map((end, index) =>
            bytes.subarray(ends[index - 1] ?? 0, end),
          );
          expect(await collect(pieces)).toEqual(lines);
        },
      ),
      { seed: 20260131, numRuns: 200 },
    );
  });

  it("takes half a line at the end for none", async () => {
    expect(await collect([Buffer.from('{"a":1}\n{"b"')])).toEqual(['{"a":1}']);
  });

  it("does not collect a line without an end", async () => {
    await expect(collect(endless())).rejects.toThrow("overlong");
  });
});
