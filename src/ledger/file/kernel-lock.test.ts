import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { KernelLock } from "./kernel-lock.ts";

let directory: string;
let path: string;
const children: ChildProcess[] = [];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "lock-"));
  path = join(directory, "lock");
});
afterEach(async () => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
  await rm(directory, { recursive: true, force: true });
});

/** A process that takes the lock, says whether it has it, and then stays until it is killed. */
async function startHolder(): Promise<{ child: ChildProcess; said: string }> {
  const module = new URL("kernel-lock.ts", import.meta.url).href;
  const script = `
    import { KernelLock } from ${JSON.stringify(module)};
    globalThis.lock = KernelLock.take(${JSON.stringify(path)});
    process.stdout.write(globalThis.lock ? "has it" : "refused");
    setInterval(() => {}, 1000);
  `;
  const child = spawn(process.execPath, ["--input-type=module", "--eval", script], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  children.push(child);
  const [said] = (await once(child.stdout ?? expect.fail(), "data")) as [Buffer];
  return { child, said: said.toString() };
}

async function kill(child: ChildProcess): Promise<void> {
  const exit = once(child, "exit");
  child.kill("SIGKILL");
  await exit;
}

describe("KernelLock", () => {
  test("is refused to everybody else while a process holds it, and free when that is killed", async () => {
    const first = await startHolder();
    expect(first.said).toBe("has it");
    expect(KernelLock.take(path)).toBeUndefined();
    expect((await startHolder()).said).toBe("refused");
    await kill(first.child);
    const lock = KernelLock.take(path);
    expect(lock).toBeDefined();
    expect((await startHolder()).said).toBe("refused");
    lock?.release();
    expect((await startHolder()).said).toBe("has it");
  });

  test("is refused to a second holder in the same process, whose attempt does not free it", async () => {
    const lock = KernelLock.take(path);
    expect(KernelLock.take(path)).toBeUndefined();
    expect((await startHolder()).said).toBe("refused");
    lock?.release();
    const next = KernelLock.take(path);
    expect(next).toBeDefined();
    next?.release();
  });

  test("leaves one empty file and nothing beside it", async () => {
    const lock = KernelLock.take(path);
    expect(await readdir(directory)).toEqual(["lock"]);
    lock?.release();
    lock?.release();
    expect(await readdir(directory)).toEqual(["lock"]);
  });

  test("fails where its file cannot be made", () => {
    expect(() => KernelLock.take(join(directory, "missing", "lock"))).toThrow("unable to open");
  });
});
