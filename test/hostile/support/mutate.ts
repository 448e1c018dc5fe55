import type { Random } from "./random.ts";

/** What parsers disagree about. */
const TOKENS = [
  "\r\n",
  "\n",
  "\r",
  "\0",
  " ",
  "\t",
  "\u000b",
  ":",
  ";",
  ",",
  '"',
  "\\",
  "\r\n\r\n",
  "0\r\n\r\n",
  "\r\ncontent-length: 0",
  "\r\ncontent-length: 7",
  "\r\ntransfer-encoding: chunked",
  "\r\nTransfer-Encoding : chunked",
  "\r\ntransfer-encoding: identity",
  "\r\n x-folded: 1",
  "\r\nconnection: close",
  "\r\nexpect: 100-continue",
  "\r\nupgrade: h2c\r\nconnection: upgrade",
  "\ufeff",
  "\u00ff",
  "ffffffff",
  "-1",
] as const;

/** A few small wounds at random places: bytes flipped, dropped, doubled, put in. */
export function mutateBytes(random: Random, bytes: Buffer, end = bytes.length): Buffer {
  let mutated = bytes;
  for (let wounds = 1 + random.below(3); wounds > 0; wounds -= 1) {
    mutated = wound(random, mutated, Math.min(end, mutated.length));
  }
  return mutated;
}

function wound(random: Random, bytes: Buffer, end: number): Buffer {
  const at = random.below(Math.max(1, end));
  const [before, behind] = [bytes.subarray(0, at), bytes.subarray(at)];
  switch (random.below(6)) {
    case 0:
      return Buffer.concat([before, random.bytes(1), behind.subarray(1)]);
    case 1:
      return Buffer.concat([before, behind.subarray(1 + random.below(8))]);
    case 2:
      return Buffer.concat([before, behind.subarray(0, 1 + random.below(40)), behind]);
    case 3:
      return Buffer.concat([before, Buffer.from(random.pick(TOKENS), "latin1"), behind]);
    case 4:
      return bytes.subarray(0, at);
    default:
      return doubleLine(random, bytes);
  }
}

/** A header that comes twice. */
function doubleLine(random: Random, bytes: Buffer): Buffer {
  const lines = bytes.toString("latin1").split("\r\n");
  const line = random.below(lines.length);
  return Buffer.from(lines.toSpliced(line, 0, lines[line] ?? "").join("\r\n"), "latin1");
}
