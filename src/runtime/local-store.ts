import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Config } from "../config/config-schema.ts";
import type { Store } from "../store/store.ts";
import { DATABASE_FILE } from "./data-directory.ts";
import { openStore } from "./open-store.ts";
import { StartError } from "./start-error.ts";

/**
 * The store of an installation that is there, whether or not its server runs. Makes nothing and migrates nothing:
 * both belong to the server's start. Throws StartError.
 */
export async function openLocalStore(
  config: Pick<Config, "dataDir" | "databaseUrl">,
): Promise<Store> {
  const { dataDir, databaseUrl } = config;
  // SQLite would make a file that is not there.
  if (databaseUrl === null && !existsSync(join(dataDir, DATABASE_FILE))) throw nothingYet(dataDir);
  const store = await openStore(config);
  try {
    const schema = await store.currentSchema();
    if (schema === 0) throw nothingYet(databaseUrl === null ? dataDir : "that database");
    if (schema < store.supportedSchema) {
      throw new StartError(
        `The database is at schema ${schema}; this Keyward works with schema ${store.supportedSchema}.`,
        "Bring it up to date with this version's `keyward start`.",
      );
    }
    return store;
  } catch (error) {
    await store.close();
    throw error;
  }
}

function nothingYet(where: string): StartError {
  return new StartError(
    `There is no Keyward in ${where} yet.`,
    "Run `keyward start` here, name its directory with --data-dir, or a server with --url.",
  );
}
