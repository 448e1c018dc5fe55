import { crc32, inflateSync } from "node:zlib";
import { expect, test } from "vitest";
import { makeUpImage } from "./made-up-image.ts";

test("is a well-formed PNG of the size that was asked for", () => {
  const png = makeUpImage("seed", { width: 33, height: 17 });
  expect(png.subarray(0, 8).toString("latin1")).toBe("\u0089PNG\r\n\u001a\n");
  const chunks = chunksOf(png);
  expect(chunks.map(({ type }) => type)).toEqual(["IHDR", "PLTE", "IDAT", "IEND"]);
  const [header, palette, data] = chunks.map((one) => one.data);
  expect([header?.readUInt32BE(0), header?.readUInt32BE(4)]).toEqual([33, 17]);
  const rows = inflateSync(data ?? Buffer.alloc(0));
  expect(rows).toHaveLength(34 * 17);
  const colours = (palette?.length ?? 0) / 3;
  for (let y = 0; y < 17; y += 1) {
    expect(rows[y * 34]).toBe(0);
    for (const index of rows.subarray(y * 34 + 1, (y + 1) * 34)) {
      expect(index).toBeLessThan(colours);
    }
  }
});

test("hangs on the seed, and a large one is small in bytes", () => {
  const size = { width: 1024, height: 1536 };
  const one = makeUpImage("one", size);
  expect(one.equals(makeUpImage("one", size))).toBe(true);
  expect(one.equals(makeUpImage("two", size))).toBe(false);
  expect(one.length).toBeLessThan(40_000);
});

/** The chunks, whose checksums it holds them to. */
function chunksOf(png: Buffer): { readonly type: string; readonly data: Buffer }[] {
  const chunks = [];
  for (let at = 8; at < png.length;) {
    const length = png.readUInt32BE(at);
    const typed = png.subarray(at + 4, at + 8 + length);
    expect(png.readUInt32BE(at + 8 + length)).toBe(crc32(typed));
    chunks.push({ type: typed.toString("latin1", 0, 4), data: typed.subarray(4) });
    at += 12 + length;
  }
  return chunks;
}
