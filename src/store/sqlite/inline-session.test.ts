import { rm } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createScratchDirectory } from "../../../test/support/scratch-directory.ts";
import { InlineSession } from "./inline-session.ts";

let directory: string;
const sessions: InlineSession[] = [];
beforeEach(async () => {
  directory = await createScratchDirectory("keyward-inline-");
});
afterEach(async () => {
  for (const session of sessions.splice(0)) await session.close();
  await rm(directory, { recursive: true });
});

async function start(busyTimeoutMs = 60_000): Promise<InlineSession> {
  const path = join(directory, "keyward.db");
  const options = { path, isReadOnly: false, busyTimeoutMs, maxStatements: 10 };
  const session = await InlineSession.start(options);
  sessions.push(session);
  return session;
}

const count = async (session: InlineSession) =>
  (await session.execute("select count(*) as n from t", [])).rows;

test("waits for the lock of another connection in the same thread, which goes on meanwhile", async () => {
  const [one, other] = [await start(), await start()];
  await one.execute("create table t (a integer) strict", []);
  await one.execute("begin immediate", []);
  const waiting = other.execute("insert into t values (2)", []);
  await one.execute("insert into t values (1)", []);
  await one.execute("commit", []);
  expect((await waiting).changes).toBe(1n);
  expect(await count(one)).toEqual([{ n: 2n }]);
});

test("gives up on a lock that is held for too long, and has done nothing then", async () => {
  const [one, other] = [await start(), await start(10)];
  await one.execute("create table t (a integer) strict", []);
  await one.execute("begin immediate", []);
  await expect(other.execute("insert into t values (2)", [])).rejects.toThrow(/locked/);
  await one.rollback();
  expect(await count(other)).toEqual([{ n: 0n }]);
});

test("lets timers and sockets have their turn, however many statements there are", async () => {
  const session = await start();
  const timer = { isOver: false };
  setTimeout(() => {
    timer.isOver = true;
  }, 1);
  while (!timer.isOver) await session.execute("select 1", []);
});

test("runs statements in the order of the calls, also behind one that fails; closed, it answers none", async () => {
  const session = await start();
  const results = await Promise.allSettled([
    session.execute("create table t (a integer) strict", []),
    session.execute("insert into t values ('no number')", []),
    session.repeat("insert into t values (?)", [1, 2, 3], 1),
    session.execute("select count(*) as n from t", []),
    session.close(),
    session.execute("select 1", []),
  ]);
  const fulfilled = results.map(({ status }) => status === "fulfilled");
  expect(fulfilled).toEqual([true, false, true, true, true, false]);
  expect(results[3]).toMatchObject({ value: { rows: [{ n: 3n }] } });
  await expect(session.ended).resolves.toBeUndefined();
});

test("says which file cannot be opened", async () => {
  directory = join(directory, "missing");
  await expect(start()).rejects.toThrow(/missing\/keyward\.db cannot be opened/);
  directory = join(directory, "..");
});
