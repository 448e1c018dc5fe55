/** The wall clock jumps by days, forwards and back, under a running process. */
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { expectData } from "../../src/admin/client.ts";
import { listEvents } from "../support/list-events.ts";
import { until } from "../support/poll.ts";
import { besiege, expectAtRest, type BesiegedKeyward } from "./support/besieged-keyward.ts";
import { exchange } from "./support/raw-connection.ts";

const DAY_MS = 86_400_000;
const CLOCK = join(import.meta.dirname, "support/jumping-clock.mjs");

let besieged: BesiegedKeyward;
beforeAll(async () => {
  besieged = await besiege({
    NODE_OPTIONS: `--import ${CLOCK}`,
    CLOCK_TEST_DAYS: "3,-3,0",
  });
});
afterAll(async () => {
  await besieged.close();
});

async function call(key = besieged.key): Promise<number | undefined> {
  const bytes = besieged.request().toString("latin1").replace(besieged.key, key);
  return (await exchange(besieged.url, bytes)).responses[0]?.status;
}

/** By how many days the server's clock is off. */
async function clockDays(): Promise<number> {
  const { time } = expectData(await besieged.admin.GET("/status"));
  return Math.round((Date.parse(time) - Date.now()) / DAY_MS);
}

async function jump(days: number): Promise<void> {
  besieged.keyward.child.kill("SIGUSR2");
  await until("the clock has jumped", async () => (await clockDays()) === days);
}

test("calls go on, each in the hour of its own start, in the order of their ids, and nothing waits for days", async () => {
  const { admin } = besieged;
  const created = expectData(
    await admin.POST("/keys", {
      body: {
        environment: "development",
        name: "for a day",
        expiresAt: new Date(Date.now() + DAY_MS).toISOString(),
      },
    }),
  );
  expect([await call(), await call(created.key)]).toEqual([200, 200]);
  await jump(3);
  // Expiry is by the wall clock: there is no other that a person could mean.
  expect([await call(), await call(created.key)]).toEqual([200, 401]);
  await jump(-3);
  expect([await call(), await call(created.key)]).toEqual([200, 200]);
  await jump(0);
  expect(await call()).toBe(200);
  await expectAtRest(besieged);

  const events = (await listEvents(admin)).toSorted((a, b) => (a.id < b.id ? -1 : 1));
  const days = events.map(
    ({ startedAt }) => Math.round((Date.parse(startedAt) - Date.now()) / DAY_MS) + 0,
  );
  expect(days).toEqual([0, 0, 3, -3, -3, 0]);
  for (const { durationMs, status, costUsd } of events) {
    expect(durationMs).toBeGreaterThanOrEqual(0);
    expect(durationMs).toBeLessThan(60_000);
    expect({ status, costUsd }).toEqual({ status: "succeeded", costUsd: "0.0000045" });
  }
  const from = new Date(Date.now() - 5 * DAY_MS).toISOString();
  const summary = expectData(
    await admin.GET("/usage/summary", { params: { query: { groupBy: "day", from } } }),
  );
  expect(summary.data.map(({ calls }) => calls).toSorted((a, b) => a - b)).toEqual([1, 2, 3]);
});
