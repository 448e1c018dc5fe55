/**
 * Where the journals lie: `<directory>/<processId>/` with one `lock` and the segments `00000001.log` and so on, and
 * beside them what could not be read (`<processId>.<segment>.corrupt`). A folder belongs to whoever holds its lock.
 * Folders are made and removed only under the directory's own lock, so that nobody locks a file that is on its way out.
 */
import { mkdir, readdir, rmdir, unlink } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { isId, type ProcessId } from "../../core/ids/ids.ts";
import { KernelLock } from "./kernel-lock.ts";

const LOCK_NAME = "lock";
const SEGMENT_PATTERN = /^(\d{8,})\.log$/;
const DIRECTORY_LOCK_DEADLINE_MS = 10_000;
const DIRECTORY_LOCK_RETRY_MS = 5;

/** A journal folder that this process owns. */
export interface JournalFolder {
  readonly processId: ProcessId;
  readonly path: string;
  readonly lock: KernelLock;
}

/** Makes the folder (0700) and takes its lock. Throws when there is a journal of that process already. */
export async function createJournalFolder(
  directory: string,
  processId: ProcessId,
): Promise<JournalFolder> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  return await underDirectoryLock(directory, async () => {
    const path = join(directory, processId);
    await mkdir(path, { mode: 0o700 });
    const lock = KernelLock.take(join(path, LOCK_NAME));
    if (lock === undefined) throw new Error(`the new journal folder ${path} is locked by another`);
    return { processId, path, lock };
  });
}

/** Takes over a folder whose owner is gone; undefined when its owner lives, or somebody else was faster. */
export async function takeJournalFolder(
  directory: string,
  processId: ProcessId,
): Promise<JournalFolder | undefined> {
  return await underDirectoryLock(directory, async () => {
    const path = join(directory, processId);
    if (!(await listNames(directory)).includes(processId)) return undefined;
    const lock = KernelLock.take(join(path, LOCK_NAME));
    return lock === undefined ? undefined : { processId, path, lock };
  });
}

/** Removes a folder that holds no segment any more, and gives its lock back. A folder with other files in it stays. */
export async function removeJournalFolder(directory: string, folder: JournalFolder): Promise<void> {
  await underDirectoryLock(directory, async () => {
    await unlink(join(folder.path, LOCK_NAME));
    folder.lock.release();
    await rmdir(folder.path).catch((error: unknown) => {
      if (codeOf(error) !== "ENOTEMPTY" && codeOf(error) !== "EEXIST") throw error;
    });
  });
}

/** The processes that have a journal here, oldest first; none when the directory is not there. */
export async function listJournals(directory: string): Promise<readonly ProcessId[]> {
  const names = await listNames(directory);
  return names.filter((name): name is ProcessId => isId("prc", name)).toSorted();
}

/** The numbers of a folder's segments, oldest first. */
export async function listSegments(folderPath: string): Promise<readonly number[]> {
  const numbers: number[] = [];
  for (const name of await listNames(folderPath)) {
    const match = SEGMENT_PATTERN.exec(name);
    if (match) numbers.push(Number(match[1]));
  }
  return numbers.toSorted((a, b) => a - b);
}

export function segmentPath(folderPath: string, segment: number): string {
  return join(folderPath, `${segment.toString().padStart(8, "0")}.log`);
}

/** Where the lines of a segment are kept that could not be read. */
export function corruptPath(folderPath: string, segment: number): string {
  return `${folderPath}.${segment.toString().padStart(8, "0")}.corrupt`;
}

/** Does the work while no process has a journal here and none can begin one; "running" when one has. */
export async function whileNobodyRuns<Result>(
  directory: string,
  work: () => Promise<Result>,
): Promise<{ readonly result: Result } | "running"> {
  return await underDirectoryLock(directory, async () => {
    for (const processId of await listJournals(directory)) {
      const lock = KernelLock.take(join(directory, processId, LOCK_NAME));
      if (lock === undefined) return "running";
      lock.release();
    }
    return { result: await work() };
  });
}

async function underDirectoryLock<Result>(
  directory: string,
  work: () => Promise<Result>,
): Promise<Result> {
  const path = join(directory, LOCK_NAME);
  let lock = KernelLock.take(path);
  for (let waitedMs = 0; lock === undefined; waitedMs += DIRECTORY_LOCK_RETRY_MS) {
    if (waitedMs > DIRECTORY_LOCK_DEADLINE_MS) {
      throw new Error(`the journal directory ${directory} is locked by another process`);
    }
    await delay(DIRECTORY_LOCK_RETRY_MS);
    lock = KernelLock.take(path);
  }
  try {
    return await work();
  } finally {
    lock.release();
  }
}

async function listNames(path: string): Promise<string[]> {
  try {
    return await readdir(path);
  } catch (error) {
    if (codeOf(error) === "ENOENT") return [];
    throw error;
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}
