import { copyFile, mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";

/**
 * The journal as a crash at this moment would leave it: copies a process's segments to another directory. Not the
 * lock: opening and closing it here would take it from its holder in this process.
 */
export async function copyJournal(from: string, to: string, processId: string): Promise<void> {
  await mkdir(join(to, processId), { recursive: true, mode: 0o700 });
  for (const name of await readdir(join(from, processId))) {
    if (name.endsWith(".log"))
      await copyFile(join(from, processId, name), join(to, processId, name));
  }
}
