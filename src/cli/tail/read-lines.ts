/** Longer than any item is. What sends more without a line break does not speak this protocol. */
const MAX_LINE_BYTES = 1024 * 1024;

const LINE_FEED = 10;

/**
 * The lines of a stream, without their ends; what stands behind the last line break is no line yet and is dropped.
 * Throws when a line is overlong. `onBytes` is told of everything that comes.
 */
export async function* readLines(
  stream: AsyncIterable<Uint8Array>,
  onBytes: () => void,
): AsyncGenerator<string> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const piece of stream) {
    onBytes();
    rest = rest.length === 0 ? Buffer.from(piece) : Buffer.concat([rest, piece]);
    let start = 0;
    for (;;) {
      const end = rest.indexOf(LINE_FEED, start);
      if (end === -1) break;
      yield rest.toString("utf8", start, end);
      start = end + 1;
    }
    rest = rest.subarray(start);
    if (rest.length > MAX_LINE_BYTES) throw new Error("a line of the live feed is overlong");
  }
}
