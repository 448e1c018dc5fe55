import { randomUUID } from "node:crypto";
import { link, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import {
  copyDatabase,
  type DatabaseFacts,
  examineDatabase,
} from "../../store/sqlite/database-file.ts";
import { StartError } from "../start-error.ts";

export interface BackupMade {
  readonly bytes: number;
  readonly facts: DatabaseFacts;
}

/**
 * Copies the database into a new file at `target`, which is there when it is whole and was read through, and not before.
 * The server may run. `onProgress` hears the part that is done, 0 to 1; what it throws ends the work. Throws StartError.
 */
export async function createBackup(
  database: string,
  target: string,
  onProgress: (part: number) => void,
): Promise<BackupMade> {
  // In the same folder: a file gets a second name within one file system only.
  const partial = join(dirname(target), `.${basename(target)}.${randomUUID()}.partial`);
  try {
    await copyDatabase(database, partial, onProgress);
    const facts = examineDatabase(partial);
    // Unlike a rename, a link refuses to replace what is there.
    await link(partial, target);
    return { bytes: (await stat(target)).size, facts };
  } catch (err) {
    throw explain(err, target);
  } finally {
    for (const name of [partial, `${partial}-wal`, `${partial}-shm`, `${partial}-journal`]) {
      await rm(name, { force: true });
    }
  }
}

function explain(err: unknown, target: string): unknown {
  const { code } = err as NodeJS.ErrnoException;
  if (code === "EEXIST") {
    return new StartError(`There is a file ${target} already.`, "Give the backup another name.");
  }
  const reason = REASONS[code ?? ""];
  if (reason === undefined) return err;
  const message = `The backup cannot be written to ${target}: ${reason}.`;
  return new StartError(message, "Name a file in a folder that is there and is yours.", {
    cause: err,
  });
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "there is no such folder",
  ENOTDIR: "a part of the path is a file, not a folder",
  EACCES: "this user may not write there",
  EPERM: "this user may not write there",
  EROFS: "the file system is read-only",
  ENOSPC: "the disk is full",
};
