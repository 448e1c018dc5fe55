import { SqliteStore } from "../store/sqlite/sqlite-store.ts";
import type { Store } from "../store/store.ts";
import type { Log } from "../telemetry/log.ts";
import { databasePath } from "./data-directory.ts";
import { StartError } from "./start-error.ts";

export interface StoreLocation {
  readonly dataDir: string;
  /** `postgres://…`; null = SQLite in the data directory. */
  readonly databaseUrl: string | null;
}

export interface OpenStoreOptions {
  readonly log?: Log | undefined;
  /** Nothing else waits for this thread: SQLite may work in it, and is there at once. */
  readonly isForCommand?: boolean;
}

/** The store that the settings name; nothing in it is changed yet. Throws StartError when it can't be used. */
export async function openStore(
  location: StoreLocation,
  options: OpenStoreOptions = {},
): Promise<Store> {
  const store = await createStore(location, options);
  try {
    const found = await store.currentSchema();
    if (found > store.supportedSchema) {
      throw new StartError(
        `The database is at schema ${found}; this Keyward knows schema ${store.supportedSchema} and older. A newer Keyward has used it.`,
        "Start the newer Keyward again, or restore the backup from before its first start.",
      );
    }
    return store;
  } catch (err) {
    await store.close();
    if (err instanceof StartError) throw err;
    throw new StartError(
      location.databaseUrl === null
        ? `The database ${databasePath(location)} cannot be opened: ${(err as Error).message}.`
        : `The Postgres database does not answer: ${(err as Error).message}.`,
      location.databaseUrl === null
        ? "If it is damaged, restore it from a backup; if it belongs to another user, start Keyward as that user."
        : "Check KEYWARD_DATABASE_URL, and that the server runs and lets this user in.",
      { cause: err },
    );
  }
}

async function createStore(
  location: StoreLocation,
  { log, isForCommand = false }: OpenStoreOptions,
): Promise<Store> {
  const { databaseUrl } = location;
  if (databaseUrl === null) {
    return new SqliteStore({ path: databasePath(location), isInline: isForCommand });
  }
  // Loaded only where it is used: the driver costs a start on SQLite nothing.
  const { PostgresStore } = await import("../store/postgres/postgres-store.ts");
  return new PostgresStore({
    url: databaseUrl,
    onConnectionLost: (err) =>
      log?.debug({ reason: err.message }, "an idle connection to Postgres broke"),
  });
}
