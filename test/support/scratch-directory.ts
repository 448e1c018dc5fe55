import { existsSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Linux has a file system in memory here. */
const IN_MEMORY = "/dev/shm";

/**
 * A new directory for a database whose test is not about disks: in memory where that can be had, since a commit on a disk
 * waits for the disk.
 */
export function createScratchDirectory(prefix: string): Promise<string> {
  return mkdtemp(join(existsSync(IN_MEMORY) ? IN_MEMORY : tmpdir(), prefix));
}
