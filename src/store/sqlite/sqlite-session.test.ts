import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { TIMEOUT_MS } from "../contract/fixture.contract.ts";
import type { SessionOptions } from "./database-session.ts";
import { SqliteSession } from "./sqlite-session.ts";

/** A thread that opens, and dies by an error of its own at the first statement. */
const DYING_THREAD = new URL(
  `data:text/javascript,${encodeURIComponent(`
    import { parentPort } from "node:worker_threads";
    parentPort.on("message", () => { throw new Error("out of luck"); });
    parentPort.postMessage({ kind: "done", id: 0, rows: [], changes: 0n });
  `)}`,
);

const pageBytes = async (session: SqliteSession) =>
  (await session.execute("pragma page_size", [])).rows;

describe("a session on a database in its own thread", { timeout: TIMEOUT_MS }, () => {
  let directory = "";
  let options: SessionOptions;
  const sessions: SqliteSession[] = [];

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "keyward-session-"));
    options = {
      path: join(directory, "keyward.db"),
      isReadOnly: false,
      busyTimeoutMs: 5_000,
      maxStatements: 4,
    };
  });
  afterEach(async () => {
    for (const session of sessions.splice(0)) await session.terminate();
    await rm(directory, { recursive: true });
  });

  async function start(
    overrides: Partial<SessionOptions> = {},
    threadFile?: URL,
  ): Promise<SqliteSession> {
    const session = await SqliteSession.start({ ...options, ...overrides }, threadFile);
    sessions.push(session);
    return session;
  }

  test("runs statements in the order of the calls, without waiting in between", async () => {
    const session = await start();
    const results = await Promise.all([
      session.execute("create table t (a integer) strict", []),
      session.execute("insert into t values (?), (?)", [1, 2]),
      session.execute("update t set a = a + 1", []),
      session.execute("select sum(a) as sum from t", []),
    ]);
    expect(results.map((result) => result.changes)).toEqual([0n, 2n, 2n, 0n]);
    expect(results[3]?.rows).toEqual([{ sum: 5n }]);
  });

  test("hands out integers whole, up to the last of their 64 bits, and takes numbers as integers", async () => {
    const session = await start();
    const { rows } = await session.execute(
      "select ? as low, ? as high, ? / 2 as half, typeof(?) as kind, ? as none",
      [-(2n ** 63n), 2n ** 63n - 1n, 7, 1.5, null],
    );
    expect(rows).toEqual([
      { low: -(2n ** 63n), high: 2n ** 63n - 1n, half: 3n, kind: "real", none: null },
    ]);
  });

  test("runs a statement many times in one message, and says what each run has changed", async () => {
    const session = await start();
    await session.execute("create table t (a integer primary key, b text) strict", []);
    const runs = 4000;
    const parameters = Array.from({ length: runs }, (_, i) => [i - (i % 2), `text ${i}`]).flat();
    const text = "insert into t values (?, ?) on conflict do nothing";
    const { rows } = await session.repeat(text, parameters, 2);
    expect(rows).toEqual(Array.from({ length: runs }, (_, i) => 1 - (i % 2)));
    expect((await session.execute("select count(*) as n, max(b) as last from t", [])).rows).toEqual(
      [{ n: BigInt(runs / 2), last: "text 998" }],
    );
  });

  test("goes on after a statement that is refused, and says which text was", async () => {
    const session = await start();
    await expect(session.execute("select * from nowhere", [])).rejects.toThrow(/nowhere/);
    await expect(session.execute("select ?", [2n ** 64n])).rejects.toThrow(/BigInt/);
    await expect(session.execute("select ?", [() => 1])).rejects.toThrow(/clone/);
    expect((await session.execute("select 1 as one", [])).rows).toEqual([{ one: 1n }]);
  });

  test("uses more statements than it keeps prepared", async () => {
    const session = await start();
    for (let round = 0; round < 3; round += 1) {
      for (let i = 0; i < 10; i += 1) {
        expect((await session.execute(`select ${i} as i`, [])).rows).toEqual([{ i: BigInt(i) }]);
      }
    }
  });

  test("is safe against a power loss, checks references and refuses text where a number belongs", async () => {
    const session = await start();
    const pragma = async (name: string) =>
      Object.values((await session.execute(`pragma ${name}`, [])).rows[0] as object)[0] as unknown;
    expect(await pragma("journal_mode")).toBe("wal");
    expect(await pragma("synchronous")).toBe(2n);
    expect(await pragma("foreign_keys")).toBe(1n);
    expect(await pragma("busy_timeout")).toBe(5_000n);
    await session.execute("create table t (a integer) strict", []);
    await expect(session.execute("insert into t values ('x')", [])).rejects.toThrow(/TEXT/);
    await expect(session.execute('select "no such column"', [])).rejects.toThrow(/no such column/);
  });

  test("makes a file of large pages, and takes one of others as it is", async () => {
    expect(await pageBytes(await start())).toEqual([{ page_size: 8192n }]);
    const path = join(directory, "older.db");
    const older = new DatabaseSync(path);
    older.exec("pragma page_size = 4096; create table t (a integer) strict");
    older.close();
    const session = await start({ path });
    await session.execute("insert into t values (1)", []);
    expect(await pageBytes(session)).toEqual([{ page_size: 4096n }]);
  });

  test("makes the file, its log and its index readable by their owner alone", async () => {
    const session = await start();
    await session.execute("create table t (a integer) strict", []);
    for (const suffix of ["", "-wal", "-shm"]) {
      expect((await stat(options.path + suffix)).mode & 0o777).toBe(0o600);
    }
  });

  test("cannot write when it is there to read", async () => {
    const writer = await start();
    await writer.execute("create table t (a integer) strict", []);
    const reader = await start({ isReadOnly: true });
    expect((await reader.execute("select * from t", [])).rows).toEqual([]);
    await expect(reader.execute("insert into t values (1)", [])).rejects.toThrow(/readonly/);
  });

  test("rejects what waits and all that comes later when its thread dies, and says why", async () => {
    const session = await start({}, DYING_THREAD);
    const waiting = [1, 2, 3].map(() => session.execute("select 1", []));
    const outcomes = await Promise.allSettled(waiting);
    for (const outcome of outcomes) {
      expect(outcome.status).toBe("rejected");
      expect(String(outcome.status === "rejected" && outcome.reason)).toMatch(
        /thread of the database .* has ended: out of luck/,
      );
    }
    await session.ended;
    expect(session.isAlive).toBe(false);
    await expect(session.execute("select 1", [])).rejects.toThrow(/has ended/);
    await expect(session.close()).resolves.toBeUndefined();
  });

  test("rolls back what was open when its thread is ended", async () => {
    const session = await start();
    await session.execute("create table t (a integer) strict", []);
    await session.execute("begin immediate", []);
    await session.execute("insert into t values (1)", []);
    await session.terminate();
    const next = await start();
    expect((await next.execute("select * from t", [])).rows).toEqual([]);
    await next.execute("begin immediate", []);
    await next.rollback();
    await next.rollback();
  });

  test("lets what waits finish when it is closed", async () => {
    const session = await start();
    const waiting = session.execute("create table t (a integer) strict", []);
    await session.close();
    await expect(waiting).resolves.toBeDefined();
    expect(session.isAlive).toBe(false);
    await expect(session.execute("select 1", [])).rejects.toThrow(/has ended/);
    await expect(session.close()).resolves.toBeUndefined();
  });

  test("is refused for a file that is no database or cannot be made, naming it, and leaves it alone", async () => {
    await writeFile(
      options.path,
      "this is not a database, it is a note of some length\n".repeat(9),
    );
    const before = await readFile(options.path);
    await expect(start()).rejects.toThrow(
      `${options.path} cannot be opened: file is not a database`,
    );
    expect(await readFile(options.path)).toEqual(before);
    const path = join(directory, "missing", "keyward.db");
    await expect(start({ path })).rejects.toThrow(/missing.*ENOENT/);
    await expect(start({ path: directory })).rejects.toThrow(/cannot be opened/);
  });

  test("waits for a lock of another connection, and says so when it does not come", async () => {
    const holder = await start();
    await holder.execute("begin immediate", []);
    const impatient = await start({ busyTimeoutMs: 1 });
    await expect(impatient.execute("begin immediate", [])).rejects.toThrow(/locked/);
    const patient = await start();
    const begun = patient.execute("begin immediate", []);
    await holder.execute("commit", []);
    await expect(begun).resolves.toBeDefined();
  });
});
