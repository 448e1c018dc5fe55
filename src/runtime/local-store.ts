import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Config } from "../config/config-schema.ts";
import type { Store } from "../store/store.ts";
import { DATABASE_FILE, databasePath, JOURNAL_FOLDER, ROOT_KEY_FILE } from "./data-directory.ts";
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
  if (databaseUrl === null && !existsSync(databasePath(config))) {
    throw isInUse(dataDir) ? databaseElsewhere(dataDir) : nothingYet(dataDir);
  }
  const store = await openStore(config, { isForCommand: true });
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

/** A server was here. On SQLite the database is the first thing that it makes. */
function isInUse(dataDir: string): boolean {
  return [ROOT_KEY_FILE, JOURNAL_FOLDER].some((name) => existsSync(join(dataDir, name)));
}

function databaseElsewhere(dataDir: string): StartError {
  return new StartError(
    `There is no ${DATABASE_FILE} in ${dataDir}, but files of an installation: it seems to keep its data in Postgres.`,
    "Set KEYWARD_DATABASE_URL as its server has it, or name the server with --url. If it was on SQLite, restore the database from a backup.",
  );
}

function nothingYet(where: string): StartError {
  return new StartError(
    `There is no Keyward in ${where} yet.`,
    "Run `keyward start` here, name its directory with --data-dir, or a server with --url.",
  );
}
