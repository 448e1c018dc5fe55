import { randomUUID } from "node:crypto";
import { open, rename, rm } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { CliError } from "./cli-error.ts";
import type { CliIo } from "./cli-io.ts";

type SaveIo = Pick<CliIo, "cwd" | "stdout" | "stderr" | "nowMs" | "isInteractive" | "stopped">;

const PROGRESS_INTERVAL_MS = 200;

/**
 * Writes the stream to a file, which takes its name only when it is whole, or to standard output. Returns the bytes.
 * Control-C removes what was written.
 */
export async function saveStream(
  io: SaveIo,
  stream: ReadableStream<Uint8Array>,
  file: string | undefined,
): Promise<number> {
  const pieces = watched(io, stream, file !== undefined);
  if (file === undefined) return writeOut(io, pieces);
  const target = resolve(io.cwd, file);
  // In the same folder: a rename is atomic within one file system only.
  const partial = join(dirname(target), `.${basename(target)}.${randomUUID()}.partial`);
  const handle = await open(partial, "wx").catch((cause: NodeJS.ErrnoException) => {
    throw new CliError(`cannot write into ${dirname(target)} (${cause.code})`, { cause });
  });
  let isWhole = false;
  try {
    let bytes = 0;
    for await (const piece of pieces) {
      await handle.writeFile(piece);
      bytes += piece.length;
    }
    await handle.sync();
    await rename(partial, target);
    isWhole = true;
    return bytes;
  } finally {
    await handle.close();
    if (!isWhole) await rm(partial, { force: true });
  }
}

async function writeOut({ stdout }: SaveIo, pieces: AsyncIterable<Uint8Array>): Promise<number> {
  let bytes = 0;
  for await (const piece of pieces) {
    bytes += piece.length;
    if (!stdout.write(piece)) await new Promise((drained) => stdout.once("drain", drained));
  }
  return bytes;
}

/** The pieces of the stream; shows how far it is, ends it on Control-C, and says it where it breaks off. */
async function* watched(
  io: SaveIo,
  stream: ReadableStream<Uint8Array>,
  isFile: boolean,
): AsyncGenerator<Uint8Array> {
  const isShown = isFile && io.isInteractive;
  const reader = stream.getReader();
  const stop = (): void => void reader.cancel().catch(() => undefined);
  if (isFile) io.stopped.addEventListener("abort", stop, { once: true });
  let bytes = 0;
  let shownAtMs = io.nowMs();
  try {
    for (;;) {
      const { done, value } = await reader.read().catch((cause: unknown) => {
        throw new CliError("the export broke off; nothing was written", {
          advice: "run it again; the server's log may say why",
          cause,
        });
      });
      if (isFile && io.stopped.aborted) throw new CliError("stopped; nothing was written");
      if (done) return;
      yield value;
      bytes += value.length;
      if (isShown && io.nowMs() - shownAtMs >= PROGRESS_INTERVAL_MS) {
        shownAtMs = io.nowMs();
        io.stderr.write(`\r${(bytes / 1e6).toFixed(1)} MB`);
      }
    }
  } finally {
    io.stopped.removeEventListener("abort", stop);
    if (isShown) io.stderr.write("\r\u001b[K");
    await reader.cancel().catch(() => undefined);
  }
}
