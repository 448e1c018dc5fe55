import { writeSync } from "node:fs";
import { open, rm } from "node:fs/promises";
import { syncDirectory } from "../../files/sync-directory.ts";

/** What the journal asks of a file system; an argument, so that tests can make a real disk fail at a chosen moment. */
export interface JournalFiles {
  /** A new, empty file that only its owner may read (0600). Refused when it is there already. */
  create(path: string): Promise<JournalFile>;
  /** Also when it is gone already. */
  remove(path: string): Promise<void>;
  /** Makes the names in a directory survive a power loss. */
  syncDirectory(path: string): Promise<void>;
}

export interface JournalFile {
  /**
   * Writes at `position`; returns how many bytes were taken, which may be fewer than given. Synchronous: a copy into
   * the kernel's page cache, which a trip through the thread pool makes five times as dear (docs/adr has the figures).
   */
  write(bytes: Buffer, position: number): number;
  truncate(length: number): Promise<void>;
  /** Resolves when the content would survive a power loss. */
  syncData(): Promise<void>;
  close(): Promise<void>;
}

export const nodeJournalFiles: JournalFiles = {
  async create(path) {
    const handle = await open(path, "wx", 0o600);
    return {
      write: (bytes, position) => writeSync(handle.fd, bytes, 0, bytes.length, position),
      truncate: (length) => handle.truncate(length),
      syncData: () => handle.datasync(),
      close: () => handle.close(),
    };
  },
  remove: (path) => rm(path, { force: true }),
  syncDirectory,
};
