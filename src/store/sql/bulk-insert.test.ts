import { rm } from "node:fs/promises";
import { join } from "node:path";
import { Kysely } from "kysely";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createScratchDirectory } from "../../../test/support/scratch-directory.ts";
import { InlineSession } from "../sqlite/inline-session.ts";
import { SqliteDialect } from "../sqlite/sqlite-dialect.ts";
import { SQLITE_ENGINE } from "../sqlite/sqlite-engine.ts";
import { RuleCache } from "./budgets/rule-cache.ts";
import { insertRows } from "./bulk-insert.ts";
import type { KeyUse } from "./key-use-notes.ts";
import type { Tables } from "./tables.ts";

let directory: string;
let db: Kysely<Tables>;
beforeEach(async () => {
  directory = await createScratchDirectory("keyward-insert-");
  const options = { path: join(directory, "a.db"), isReadOnly: false, maxStatements: 10 };
  const startSession = () => InlineSession.start({ ...options, busyTimeoutMs: 1_000 });
  db = new Kysely({ dialect: new SqliteDialect({ isReadOnly: false, startSession }) });
  await db.schema
    .createTable("gateway_key_uses")
    .addColumn("key_id", "text", (column) => column.primaryKey())
    .addColumn("used_at_ms", "integer", (column) => column.notNull())
    .execute();
});
afterEach(async () => {
  await db.destroy();
  await rm(directory, { recursive: true });
});

const insert = async (rows: readonly object[]) =>
  await db.transaction().execute(async (transaction) => {
    const target = { db: transaction, engine: SQLITE_ENGINE, budgetRules: new RuleCache() };
    return await insertRows(
      target,
      "gateway_key_uses",
      rows as readonly KeyUse[],
      "on conflict do nothing",
    );
  });

test("says of each row whether it is in the table through this insertion", async () => {
  const rows = ["a", "b", "a"].map((key_id) => ({ key_id, used_at_ms: 1 }));
  expect(await insert(rows)).toEqual([true, true, false]);
  expect(await insert(rows)).toEqual([false, false, false]);
  expect(await insert([])).toEqual([]);
});

test("never puts a value into another column: rows that are not alike are refused, and none is inserted", async () => {
  const first = { key_id: "a", used_at_ms: 1 };
  for (const [other, message] of [
    [{ used_at_ms: 1, key_id: "b" }, "used_at_ms is not where the first row has it"],
    [{ key_id: "b" }, "a row has no used_at_ms"],
    [{ key_id: "b", used_at_ms: 1, calls: 1 }, "calls is not where the first row has it"],
  ] as const) {
    await expect(insert([first, other])).rejects.toThrow(message);
  }
  expect(await db.selectFrom("gateway_key_uses").selectAll().execute()).toEqual([]);
});
