import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { listJournals } from "../ledger/file/journal-folder.ts";
import { KernelLock } from "../ledger/file/kernel-lock.ts";

export interface JournalsFound {
  /** Journals of processes that run. */
  readonly running: number;
  /** Journals of processes that have ended without closing them; the next start takes them in. */
  readonly leftOver: number;
  /** Files with lines that a recovery could not read. */
  readonly corruptFiles: readonly string[];
}

/** Looks at the journals and changes nothing. Only for a process that holds no journal itself. */
export async function inspectJournals(directory: string): Promise<JournalsFound> {
  if (!existsSync(directory)) return { running: 0, leftOver: 0, corruptFiles: [] };
  let running = 0;
  let leftOver = 0;
  for (const processId of await listJournals(directory)) {
    const lockPath = join(directory, processId, "lock");
    // A process that ends in an orderly way takes its folder along, perhaps just now.
    if (!existsSync(lockPath)) continue;
    const lock = KernelLock.take(lockPath);
    if (lock === undefined) running += 1;
    else leftOver += 1;
    lock?.release();
  }
  const names = await readdir(directory);
  return { running, leftOver, corruptFiles: names.filter((name) => name.endsWith(".corrupt")) };
}
