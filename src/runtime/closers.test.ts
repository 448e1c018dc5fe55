import { setTimeout as delay } from "node:timers/promises";
import { expect, test } from "vitest";
import { LogOfTest } from "../../test/support/ledger-under-test.ts";
import { Closers } from "./closers.ts";

function closersOf(limits: { deadlineMs: number; hurriedMs: number }) {
  const closed: string[] = [];
  const told = new LogOfTest();
  const log = Object.assign(told, { debug: () => undefined });
  const closers = new Closers(log, limits);
  const add = (name: string, work: () => Promise<void> = async () => undefined, ms?: number) =>
    closers.add(
      name,
      async () => {
        await work();
        closed.push(name);
      },
      ms,
    );
  return { closers, add, closed, told };
}

const hangs = () => new Promise<never>(() => undefined);

test("parts are closed in the opposite order, each once, also after one that fails", async () => {
  const { closers, add, closed, told } = closersOf({ deadlineMs: 60_000, hurriedMs: 60_000 });
  add("store");
  add("ledger", () => Promise.reject(new Error("the disk is full")));
  add("port");
  await closers.closeAll();
  await closers.closeAll();
  expect(closed).toEqual(["port", "store"]);
  expect(told.lines).toHaveLength(1);
});

test("behind a part that hangs the others are not waited for as long, but for those that must not be hurried", async () => {
  const { closers, add, closed, told } = closersOf({ deadlineMs: 100, hurriedMs: 1 });
  add("store");
  add("slow", () => delay(1_000, undefined, { ref: false }));
  add("ledger", () => delay(200), 60_000);
  add("alerts", hangs);
  await closers.closeAll();
  expect(closed).toEqual(["ledger", "store"]);
  expect(told.lines).toHaveLength(2);
});

test("a part that fails hurries nobody", async () => {
  const { closers, add, closed } = closersOf({ deadlineMs: 60_000, hurriedMs: 0 });
  add("store", () => delay(20));
  add("alerts", () => Promise.reject(new Error("refused")));
  await closers.closeAll();
  expect(closed).toEqual(["store"]);
});
