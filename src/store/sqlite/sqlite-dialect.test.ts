import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CompiledQuery, type DatabaseConnection, Kysely, sql } from "kysely";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { TIMEOUT_MS } from "../contract/fixture.contract.ts";
import { SqliteDialect } from "./sqlite-dialect.ts";
import { SqliteSession } from "./sqlite-session.ts";

interface Tables {
  readonly t: { readonly a: number };
}

describe("Kysely on a threaded SQLite", { timeout: TIMEOUT_MS }, () => {
  let directory = "";
  let dialect: SqliteDialect;
  let db: Kysely<Tables>;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "keyward-dialect-"));
    dialect = threaded(join(directory, "keyward.db"));
    db = new Kysely<Tables>({ dialect });
    await sql`create table t (a integer not null unique) strict`.execute(db);
  });
  afterEach(async () => {
    await dialect.close();
    await rm(directory, { recursive: true });
  });

  const count = async (): Promise<number> => {
    const { rows } = await sql<{ n: bigint }>`select count(*) as n from t`.execute(db);
    return Number(rows[0]?.n);
  };

  test("goes on with a new thread after a crash, and with what was committed before", async () => {
    await db.executeQuery(insert(1));
    const driver = dialect.createDriver();
    const connection = await driver.acquireConnection();
    await driver.releaseConnection(connection);
    await sessionOf(connection).terminate();
    await db.executeQuery(insert(2));
    expect(await count()).toBe(2);
  });

  test("fails a transaction whose thread dies, and runs none of its rest on the new one", async () => {
    const driver = dialect.createDriver();
    const connection = await driver.acquireConnection();
    await driver.beginTransaction(connection, {});
    await connection.executeQuery(insert(1));
    await sessionOf(connection).terminate();
    await expect(connection.executeQuery(insert(2))).rejects.toThrow(/has ended/);
    await expect(driver.rollbackTransaction(connection)).resolves.toBeUndefined();
    await driver.releaseConnection(connection);
    expect(await count()).toBe(0);
    await db.transaction().execute((transaction) => transaction.executeQuery(insert(3)));
    expect(await count()).toBe(1);
  });

  test("rolls a transaction back whose commit SQLite has refused", async () => {
    await sql`create table child (a integer references t (a) deferrable initially deferred) strict`.execute(
      db,
    );
    const attempt = db.transaction().execute(async (transaction) => {
      await transaction.insertInto("t").values({ a: 1 }).execute();
      await sql`insert into child values (99)`.execute(transaction);
    });
    await expect(attempt).rejects.toThrow(/FOREIGN KEY/);
    expect(await count()).toBe(0);
  });

  test("answers nothing after it was closed, also when it was never used", async () => {
    const unused = threaded(join(directory, "unused.db"));
    await unused.close();
    await unused.close();
    await expect(sql`select 1`.execute(new Kysely({ dialect: unused }))).rejects.toThrow(
      "the store is closed",
    );
    const waiting = Promise.allSettled([count(), count()]);
    await Promise.all([dialect.close(), dialect.close()]);
    await waiting;
    await expect(count()).rejects.toThrow("the store is closed");
  });

  test("lets nobody in between the statements of a transaction", async () => {
    await Promise.all(
      Array.from({ length: 40 }, async (_, i) => {
        if (i % 2 === 0) {
          await db.insertInto("t").values({ a: i }).execute();
          return;
        }
        await db.transaction().execute(async (transaction) => {
          const read = () => sql<{ n: bigint }>`select count(*) as n from t`.execute(transaction);
          const before = (await read()).rows[0]?.n ?? 0n;
          await Promise.resolve();
          await transaction.insertInto("t").values({ a: i }).execute();
          expect((await read()).rows[0]?.n).toBe(before + 1n);
        });
      }),
    );
    expect(await count()).toBe(40);
  });
});

function threaded(path: string): SqliteDialect {
  const options = { path, isReadOnly: false, busyTimeoutMs: 5_000, maxStatements: 10 };
  return new SqliteDialect({ ...options, startSession: () => SqliteSession.start(options) });
}

function insert(a: number): CompiledQuery {
  return CompiledQuery.raw("insert into t values (?)", [a]);
}

function sessionOf(connection: DatabaseConnection): SqliteSession {
  return (connection as DatabaseConnection & { readonly session: SqliteSession }).session;
}
