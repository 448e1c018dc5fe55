/** A body's beginning, and whether that was all of it. Who sends more than `most` bytes is not read to the end. */
export async function readUpTo(
  body: AsyncIterable<Buffer>,
  most: number,
): Promise<{ readonly bytes: Buffer; readonly isWhole: boolean }> {
  const pieces: Buffer[] = [];
  let count = 0;
  for await (const piece of body) {
    count += piece.length;
    // Leaving the loop ends the body, and its connection with it.
    if (count > most) return { bytes: Buffer.concat(pieces), isWhole: false };
    pieces.push(piece);
  }
  return { bytes: Buffer.concat(pieces), isWhole: true };
}
