import { crc32, deflateSync } from "node:zlib";
import { SeededRandom } from "./seeded-random.ts";

export interface ImageSize {
  readonly width: number;
  readonly height: number;
}

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
const TILES_PER_SIDE = 8;
const COLOURS = 16;
/** Indexed colours of eight bits. */
const BIT_DEPTH = 8;
const COLOUR_TYPE = 3;

/**
 * A mosaic of 8 × 8 tiles as a PNG; the same seed and size give the same bytes. `sharpness`, from 0 to 1, is how far the
 * colours are from grey: a stream's partial images come out of the grey. Source: W3C, "Portable Network Graphics (PNG)
 * Specification (Third Edition)".
 */
export function makeUpImage(seed: string, { width, height }: ImageSize, sharpness = 1): Buffer {
  const random = new SeededRandom(seed);
  const palette = Buffer.alloc(COLOURS * 3, 128);
  for (let at = 0; at < palette.length; at += 1) {
    palette[at] = Math.round(128 + (random.below(256) - 128) * sharpness);
  }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header[8] = BIT_DEPTH;
  header[9] = COLOUR_TYPE;
  return Buffer.concat([
    SIGNATURE,
    chunk("IHDR", header),
    chunk("PLTE", palette),
    chunk("IDAT", deflateSync(pixels(random, { width, height }), { level: 1 })),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}

/** Rows of palette indices, each after the byte that names its filter: none. */
function pixels(random: SeededRandom, { width, height }: ImageSize): Buffer {
  const rowBytes = width + 1;
  const rows = Buffer.alloc(rowBytes * height);
  for (let tileRow = 0; tileRow < TILES_PER_SIDE; tileRow += 1) {
    const row = Buffer.alloc(rowBytes);
    for (let tile = 0; tile < TILES_PER_SIDE; tile += 1) {
      row.fill(random.below(COLOURS), 1 + edge(tile, width), 1 + edge(tile + 1, width));
    }
    for (let y = edge(tileRow, height); y < edge(tileRow + 1, height); y += 1) {
      row.copy(rows, y * rowBytes);
    }
  }
  return rows;
}

function edge(tile: number, length: number): number {
  return Math.floor((tile * length) / TILES_PER_SIDE);
}

function chunk(type: string, data: Buffer): Buffer {
  const typed = Buffer.concat([Buffer.from(type, "latin1"), data]);
  const framed = Buffer.alloc(typed.length + 8);
  framed.writeUInt32BE(data.length, 0);
  typed.copy(framed, 4);
  framed.writeUInt32BE(crc32(typed), typed.length + 4);
  return framed;
}
