import { Buffer } from "node:buffer";
import type { Writable } from "node:stream";

/** Up to here copying is cheaper than handing the kernel several pieces. */
const MAX_COPIED_BYTES = 16 * 1024;

/** Writes text (Latin-1), bytes and text in one piece, as far as that is sensible. */
export function sendTogether(
  socket: Writable,
  before: string,
  body: Buffer | undefined,
  after: string,
): void {
  const bodyBytes = body?.length ?? 0;
  if (bodyBytes > MAX_COPIED_BYTES) {
    socket.cork();
    if (before !== "") socket.write(before, "latin1");
    socket.write(body);
    if (after !== "") socket.write(after, "latin1");
    socket.uncork();
    return;
  }
  const bytes = Buffer.allocUnsafe(before.length + bodyBytes + after.length);
  bytes.write(before, 0, "latin1");
  body?.copy(bytes, before.length);
  if (after !== "") bytes.write(after, before.length + bodyBytes, "latin1");
  socket.write(bytes);
}
