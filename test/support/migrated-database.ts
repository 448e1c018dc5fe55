/** An SQLite file at the newest schema for tests that are about something else: made once in a worker, then copied. */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SqliteStore } from "../../src/store/sqlite/sqlite-store.ts";

const PRIVATE_MODE = 0o600;

let migrated: Promise<Buffer> | undefined;

/** Where a store of the test is opened next, there is nothing left for it to migrate. */
export async function writeMigratedDatabase(path: string): Promise<void> {
  migrated ??= migrate();
  await writeFile(path, await migrated, { mode: PRIVATE_MODE, flag: "wx" });
}

async function migrate(): Promise<Buffer> {
  const directory = await mkdtemp(join(tmpdir(), "keyward-migrated-"));
  try {
    const path = join(directory, "keyward.db");
    const store = new SqliteStore({ path, isInline: true });
    await store.migrate();
    // The last connection takes what is in the write-ahead log into the file.
    await store.close();
    return await readFile(path);
  } finally {
    await rm(directory, { recursive: true });
  }
}
