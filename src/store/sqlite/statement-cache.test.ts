import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import { StatementCache } from "./statement-cache.ts";

test("the cache keeps the statements used last, no more than its limit", () => {
  const database = new DatabaseSync(":memory:");
  const cache = new StatementCache(database, 2);
  const one = cache.prepare("select 1 as n");
  const two = cache.prepare("select 2 as n");
  expect(cache.prepare("select 1 as n")).toBe(one);
  expect(cache.prepare("select 3 as n").statement.get()).toEqual({ n: 3n });
  expect(cache.size).toBe(2);
  expect(cache.prepare("select 1 as n")).toBe(one);
  expect(cache.prepare("select 2 as n")).not.toBe(two);
  database.exec("create table t (a integer)");
  expect(cache.prepare("select * from t where a = 1").hasRows).toBe(true);
  expect(cache.prepare("insert into t values (1) returning a").hasRows).toBe(true);
  expect(cache.prepare("insert into t values (1)").hasRows).toBe(false);
  cache.clear();
  expect(cache.size).toBe(0);
  database.close();
});
