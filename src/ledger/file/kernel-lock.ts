import { DatabaseSync } from "node:sqlite";

/**
 * A lock that the kernel gives back when its holder dies, `kill -9` included: an exclusive transaction held open on an
 * empty SQLite file (SQLite takes `fcntl` locks; Node itself has no call for them). It works between processes of one
 * machine, and between holders within one process, which SQLite keeps apart itself.
 *
 * Nobody may open and close the lock's file by other means in the process that holds it: POSIX drops a process's
 * locks on a file when any of its descriptors for that file is closed.
 */
export class KernelLock {
  readonly #database: DatabaseSync;

  private constructor(database: DatabaseSync) {
    this.#database = database;
  }

  /** Takes the lock, making its file where it is missing; undefined when somebody else holds it. Never waits. */
  static take(path: string): KernelLock | undefined {
    const database = new DatabaseSync(path, { timeout: 0 });
    try {
      // The rollback journal in memory, so that no second file appears beside the lock.
      database.exec("PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE");
      return new KernelLock(database);
    } catch (error) {
      database.close();
      if (isBusy(error)) return undefined;
      throw error;
    }
  }

  /** Gives the lock back; its file stays. */
  release(): void {
    if (this.#database.isOpen) this.#database.close();
  }
}

const SQLITE_BUSY = 5;

function isBusy(error: unknown): boolean {
  return (
    error instanceof Error && "errcode" in error && (Number(error.errcode) & 0xff) === SQLITE_BUSY
  );
}
