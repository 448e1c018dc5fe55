import { copyFileSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";

/**
 * The journal as a crash at this moment would leave it: copies a process's segments to another directory, in one go,
 * so that no more than a write under way can come in between. Not the lock: opening and closing it here would take it
 * from its holder in this process.
 */
export function copyJournal(from: string, to: string, processId: string): void {
  mkdirSync(join(to, processId), { recursive: true, mode: 0o700 });
  for (const name of readdirSync(join(from, processId))) {
    if (!name.endsWith(".log")) continue;
    try {
      copyFileSync(join(from, processId, name), join(to, processId, name));
    } catch (error) {
      // Deleted since it was listed, so nothing in it was needed.
      if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
    }
  }
}
