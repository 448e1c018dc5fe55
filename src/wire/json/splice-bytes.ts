/** Puts a text in the place of the bytes from `start` to `end` (exclusive); the two may be one, then it is inserted. */
export interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** The body with edits that do not overlap; every other byte stays as it is. The body itself where there are none. */
export function spliceBytes(body: Buffer, edits: readonly Edit[]): Buffer {
  if (edits.length === 0) return body;
  const pieces: Buffer[] = [];
  let from = 0;
  for (const { start, end, text } of edits.toSorted((a, b) => a.start - b.start)) {
    pieces.push(body.subarray(from, start), Buffer.from(text));
    from = end;
  }
  pieces.push(body.subarray(from));
  return Buffer.concat(pieces);
}
