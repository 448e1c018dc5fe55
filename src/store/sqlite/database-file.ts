/** A database file as a whole: copied while others write it, examined, and made one file that can be carried about. */
import { closeSync, fsyncSync, openSync } from "node:fs";
import { backup, DatabaseSync } from "node:sqlite";

const PAGES_PER_STEP = 1000;
const OWNER_ONLY = 0o600;

export interface DatabaseFacts {
  readonly schema: number;
  /** The root key that its secrets are sealed under; undefined when its vault was never opened. */
  readonly rootKey: { readonly id: string; readonly fingerprint: string } | undefined;
  readonly usageEvents: number;
  /** When the newest of them began, in milliseconds since 1970. */
  readonly lastEventAtMs: number | undefined;
  /** The end of the audit log. */
  readonly auditHead: { readonly sequence: number; readonly hash: string } | undefined;
}

/** The file is no database of Keyward's, or is damaged; the message ends a sentence that begins with its name. */
export class DatabaseFileError extends Error {}

/**
 * Copies what is in the database at this moment, also while a server writes it: the copy is read in one transaction.
 * `onProgress` hears the part that is done, 0 to 1; what it throws ends the copy. Half a copy may be left at `target`.
 */
export async function copyDatabase(
  source: string,
  target: string,
  onProgress: (part: number) => void,
): Promise<void> {
  // Privately from its first byte on: SQLite keeps the mode of a file that is there.
  closeSync(openSync(target, "wx", OWNER_ONLY));
  const database = new DatabaseSync(source, { readOnly: true });
  try {
    database.exec("begin");
    // The transaction begins with the first thing that is read.
    database.prepare("select count(*) from sqlite_master").get();
    await backup(database, target, {
      rate: PAGES_PER_STEP,
      progress: ({ totalPages, remainingPages }) => onProgress(1 - remainingPages / totalPages),
    });
  } finally {
    database.close();
  }
  makeOneFile(target);
}

/** Takes the write-ahead log into the file, so that it is all there is. Nobody else may have it open. */
export function makeOneFile(path: string): void {
  const database = new DatabaseSync(path, { timeout: 0 });
  try {
    const { journal_mode: mode } = database.prepare("pragma journal_mode = delete").get() as {
      journal_mode: string;
    };
    if (mode !== "delete") throw new DatabaseFileError("is in use");
  } finally {
    database.close();
  }
  syncToDisk(path);
}

/** Reads all of the file. Throws DatabaseFileError for what is not whole, and leaves the file as it is. */
export function examineDatabase(path: string): DatabaseFacts {
  return reading(path, (database) => {
    const [damage] = database.prepare("pragma quick_check(1)").all() as { quick_check: string }[];
    if (damage?.quick_check !== "ok") {
      throw new DatabaseFileError(`is damaged (${damage?.quick_check ?? "it can't be read"})`);
    }
    const one = (query: string) => database.prepare(query).get();
    if (one("select 1 from sqlite_master where name = 'keyward_schema'") === undefined) {
      throw new DatabaseFileError("is no database of Keyward's");
    }
    const has = (table: string): boolean =>
      database.prepare("select 1 from sqlite_master where name = ?").get(table) !== undefined;
    const { version } = one("select max(version) as version from keyward_schema") as {
      version: number;
    };
    const events = one(
      "select count(*) as count, max(started_at_ms) as last from usage_events",
    ) as { count: number; last: number | null };
    return {
      schema: version,
      rootKey: one(
        "select id, fingerprint from root_keys where is_current = 1",
      ) as DatabaseFacts["rootKey"],
      usageEvents: events.count,
      lastEventAtMs: events.last ?? undefined,
      auditHead: has("audit_head")
        ? (one("select sequence, hash from audit_head") as DatabaseFacts["auditHead"])
        : undefined,
    };
  });
}

function reading<Result>(path: string, read: (database: DatabaseSync) => Result): Result {
  let database: DatabaseSync | undefined;
  try {
    // A copy may lie where nothing can be written, as on a mounted archive.
    database = new DatabaseSync(path, { readOnly: true });
    return read(database);
  } catch (error) {
    if (error instanceof DatabaseFileError) throw error;
    throw new DatabaseFileError(`can't be read (${(error as Error).message})`, { cause: error });
  } finally {
    database?.close();
  }
}

function syncToDisk(path: string): void {
  const file = openSync(path, "r+");
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
