import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { afterEach, beforeEach, expect, test } from "vitest";
import { saveStream } from "./save-stream.ts";

let cwd: string;
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), "keyward-save-"));
});
afterEach(() => rmSync(cwd, { recursive: true }));

function ioIn(stopped: AbortSignal = new AbortController().signal) {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  return { cwd, stdout, stderr, nowMs: () => 0, isInteractive: false, stopped };
}

/** Gives the pieces one by one, then does what `end` says. */
function streamOf(
  pieces: readonly string[],
  end: (controller: ReadableStreamDefaultController<Uint8Array>) => void = (it) => it.close(),
): ReadableStream<Uint8Array> {
  const rest = [...pieces];
  return new ReadableStream({
    pull(controller) {
      const piece = rest.shift();
      if (piece === undefined) end(controller);
      else controller.enqueue(Buffer.from(piece));
    },
  });
}

test("the file takes its name when it is whole", async () => {
  expect(await saveStream(ioIn(), streamOf(["a,b\n", "1,2\n"]), "out.csv")).toBe(8);
  expect(readFileSync(join(cwd, "out.csv"), "utf8")).toBe("a,b\n1,2\n");
  expect(readdirSync(cwd)).toEqual(["out.csv"]);
});

test("an export that breaks off leaves what was there, and nothing else", async () => {
  writeFileSync(join(cwd, "out.csv"), "yesterday's");
  const broken = streamOf(["a,b\n"], (controller) => controller.error(new Error("cut")));
  await expect(saveStream(ioIn(), broken, "out.csv")).rejects.toThrow("broke off");
  expect(readFileSync(join(cwd, "out.csv"), "utf8")).toBe("yesterday's");
  expect(readdirSync(cwd)).toEqual(["out.csv"]);
});

test("Control-C ends an export that waits, and leaves nothing", async () => {
  const stop = new AbortController();
  const waiting = streamOf(["a,b\n"], () => stop.abort());
  await expect(saveStream(ioIn(stop.signal), waiting, "out.csv")).rejects.toThrow("stopped");
  expect(readdirSync(cwd)).toEqual([]);
});

test("a folder that is not there is named", async () => {
  await expect(saveStream(ioIn(), streamOf([]), "no/out.csv")).rejects.toThrow(join(cwd, "no"));
});

test("without a file it goes to standard output", async () => {
  const io = ioIn();
  await saveStream(io, streamOf(["a", "b"]), undefined);
  expect(String(io.stdout.read())).toBe("ab");
});
