/**
 * Postgres is stopped under load and started again (`KEYWARD_AWAY_MS=30000` is the long form): calls that no budget
 * counts do not notice, calls that one counts go on within their leases, and afterwards everything adds up.
 */
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type BurstGateways, startGateways } from "../support/burst-gateways.ts";
import { BurstUpstream } from "../support/burst-upstream.ts";
import { startPostgres, type TestPostgres } from "../support/postgres.ts";

const AWAY_MS = Number(process.env["KEYWARD_AWAY_MS"] ?? 4_000);
const LIMIT_CENTS = 1_000;
const PAUSE_MS = 50;

let upstream: BurstUpstream;
let postgres: TestPostgres;
let gateways: BurstGateways;

beforeAll(async () => {
  upstream = await BurstUpstream.start();
  postgres = await startPostgres();
  gateways = await startGateways(2, upstream.url, await postgres.createDatabase());
}, 120_000);
afterAll(async () => {
  await gateways.stop();
  await upstream.close();
  await postgres.stop();
});

test("a database that is away for a while", { timeout: AWAY_MS + 120_000 }, async () => {
  const budgetId = await gateways.createBudget({ kind: "customer", id: "budgeted" }, LIMIT_CENTS);
  const over = new AbortController();
  const load = async (customer: string, atOnce: number): Promise<number[]> => {
    const statuses: number[] = [];
    while (!over.signal.aborted) {
      statuses.push(...(await gateways.burst(atOnce, { customer })));
      await delay(PAUSE_MS);
    }
    return statuses;
  };
  const free = load("free", 4);
  const budgeted = load("budgeted", 2);
  await upstream.untilCarriedOut("budgeted");
  await delay(500);

  const startAgain = await postgres.interrupt();
  await delay(AWAY_MS);
  const billedWhileAway = upstream.billedCents("free");
  await startAgain();
  await delay(1_500);
  over.abort();

  expect(new Set(await free)).toEqual(new Set([200]));
  expect(billedWhileAway).toBeGreaterThan(0);
  const statuses = await budgeted;
  expect(statuses.filter((status) => ![200, 429, 503].includes(status))).toEqual([]);
  expect(statuses).toContain(200);
  const billed = upstream.billedCents("budgeted");
  expect(billed).toBeLessThanOrEqual(LIMIT_CENTS);
  const { spentUsd } = await gateways.budgetAtRest(budgetId);
  expect(Number(spentUsd)).toBe(billed / 100);
  expect(await gateways.ledgerSum("budgeted")).toBe(spentUsd);
  expect(Number(await gateways.ledgerSum("free"))).toBe(upstream.billedCents("free") / 100);
});
