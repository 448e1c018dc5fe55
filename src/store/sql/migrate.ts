import { CompiledQuery, type Kysely } from "kysely";
import { NewerSchemaError } from "../store.ts";
import { MIGRATIONS } from "./migrations/migrations.ts";
import type { SqlEngine } from "./sql-engine.ts";
import type { Tables } from "./tables.ts";

/** The schema this code knows. */
export const SUPPORTED_SCHEMA = MIGRATIONS.length;

/** 0 for an empty database. Reads only. */
export async function currentSchema(db: Kysely<Tables>, engine: SqlEngine): Promise<number> {
  if (!(await engine.hasTable(db, "keyward_schema"))) return 0;
  const row = await db
    .selectFrom("keyward_schema")
    .select((select) => select.fn.max("version").as("version"))
    .executeTakeFirst();
  return Number(row?.version ?? 0);
}

/**
 * Brings the schema up to date, each migration in its own transaction. A second process that migrates at the same
 * time waits for the transaction and then finds the step done. Throws NewerSchemaError and changes nothing.
 */
export async function migrate(db: Kysely<Tables>, engine: SqlEngine): Promise<void> {
  while (await migrateOnce(db, engine));
}

/** False when there was nothing to do. */
async function migrateOnce(db: Kysely<Tables>, engine: SqlEngine): Promise<boolean> {
  const seen = await currentSchema(db, engine);
  if (seen > SUPPORTED_SCHEMA) throw new NewerSchemaError(seen, SUPPORTED_SCHEMA);
  if (seen === SUPPORTED_SCHEMA) return false;
  await db.transaction().execute(async (transaction) => {
    await engine.lockWriters(transaction);
    // Another process may have been faster: only what is read under the lock counts.
    const current = await currentSchema(transaction, engine);
    if (current > SUPPORTED_SCHEMA) throw new NewerSchemaError(current, SUPPORTED_SCHEMA);
    const migration = MIGRATIONS[current];
    if (migration === undefined) return;
    const { words } = engine;
    if (current === 0) {
      await transaction.executeQuery(
        CompiledQuery.raw(
          `create table keyward_schema (version ${words.integer} primary key not null, name ${words.text} not null)${words.table}`,
        ),
      );
    }
    for (const statement of migration.statements(words)) {
      await transaction.executeQuery(CompiledQuery.raw(statement));
    }
    await transaction
      .insertInto("keyward_schema")
      .values({ version: current + 1, name: migration.name })
      .execute();
  });
  return true;
}
