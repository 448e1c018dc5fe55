import { rm } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { createScratchDirectory } from "../../../test/support/scratch-directory.ts";
import type { TestDatabase } from "../contract/fixture.contract.ts";
import { describeStore } from "../store.contract.ts";
import { SqliteStore } from "./sqlite-store.ts";

describeStore("SQLite in threads of its own", () => createSqliteDatabase(false));
describeStore("SQLite in the caller's thread", () => createSqliteDatabase(true));

async function createSqliteDatabase(isInline: boolean): Promise<TestDatabase> {
  const directory = await createScratchDirectory("keyward-store-");
  const path = join(directory, "keyward.db");
  const stores: SqliteStore[] = [];
  const closeStores = async (): Promise<void> => {
    for (const store of stores.splice(0)) await store.close();
  };
  return {
    open() {
      const store = new SqliteStore({ path, isInline });
      stores.push(store);
      return store;
    },
    async execute(statements) {
      const database = new DatabaseSync(path, { timeout: 5_000 });
      database.exec(statements);
      database.close();
    },
    restartSequence: "delete from sqlite_sequence",
    closeStores,
    async drop() {
      await closeStores();
      await rm(directory, { recursive: true });
    },
  };
}
