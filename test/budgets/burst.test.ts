/**
 * Two hundred calls at once on a budget of $1.00, each of which may cost $0.10 at worst, with several real processes on
 * one database: what the upstream bills is never more, and next to nothing of the budget lies idle.
 *
 * `KEYWARD_BURST=sqlite:1,sqlite:2,sqlite:4,postgres:2,postgres:4 KEYWARD_BURST_ROUNDS=20` is the long form.
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type BurstGateways, startGateways } from "../support/burst-gateways.ts";
import { BurstUpstream, CENTS_A_CALL } from "../support/burst-upstream.ts";
import { startPostgres, type TestPostgres } from "../support/postgres.ts";

const SETUPS = (process.env["KEYWARD_BURST"] ?? "sqlite:2").split(",");
const ROUNDS = Number(process.env["KEYWARD_BURST_ROUNDS"] ?? 1);
const CALLS = 200;
const LIMIT_CENTS = 100;

let upstream: BurstUpstream;
let postgres: TestPostgres | undefined;

beforeAll(async () => {
  upstream = await BurstUpstream.start();
  if (SETUPS.some((setup) => setup.startsWith("postgres"))) postgres = await startPostgres();
}, 120_000);
afterAll(async () => {
  await upstream.close();
  await postgres?.stop();
});

describe.each(SETUPS)("%s", (setup) => {
  const [store, processes] = setup.split(":");
  let gateways: BurstGateways;
  let round = 0;

  beforeAll(async () => {
    const database = store === "postgres" ? await postgres?.createDatabase() : undefined;
    gateways = await startGateways(Number(processes), upstream.url, database);
  }, 120_000);
  afterAll(async () => {
    await gateways.stop();
  });
  afterEach(() => {
    upstream.isSlow = false;
  });

  /** A customer of its own for each round, with a budget of a dollar. */
  async function newCustomer(): Promise<{ customer: string; budgetId: string }> {
    round += 1;
    const customer = `${setup} ${round}`;
    const scope = { kind: "customer", id: customer } as const;
    return { customer, budgetId: await gateways.createBudget(scope, LIMIT_CENTS) };
  }

  async function expectAtRest(budgetId: string, customer: string): Promise<number> {
    const { spentUsd, heldUsd } = await gateways.budgetAtRest(budgetId);
    const ledgerUsd = await gateways.ledgerSum(customer);
    expect({ spentUsd, heldUsd }).toEqual({ spentUsd: ledgerUsd, heldUsd: "0" });
    expect(Number(spentUsd)).toBeLessThanOrEqual(LIMIT_CENTS / 100);
    return Number(spentUsd);
  }

  const rounds = Array.from({ length: ROUNDS }, (_, index) => index + 1);

  it.each(rounds)("whole answers, round %i", { timeout: 120_000 }, async () => {
    const { customer, budgetId } = await newCustomer();
    const statuses = await gateways.burst(CALLS, { customer });
    expect(new Set(statuses)).toEqual(new Set([200, 429]));
    const billed = upstream.billedCents(customer);
    expect(billed).toBeLessThanOrEqual(LIMIT_CENTS);
    expect(statuses.filter((status) => status === 200).length).toBeGreaterThanOrEqual(9);
    expect(await expectAtRest(budgetId, customer)).toBe(billed / 100);
  });

  it.each(rounds)(
    "streams, half of them left by their clients, round %i",
    { timeout: 120_000 },
    async () => {
      upstream.isSlow = true;
      const { customer, budgetId } = await newCustomer();
      await gateways.burst(CALLS, { customer, isStream: true, leaveEvery: 2 });
      expect(upstream.billedCents(customer)).toBeLessThanOrEqual(LIMIT_CENTS);
      await expectAtRest(budgetId, customer);
    },
  );

  it.each(rounds)("three budgets at once, round %i", { timeout: 120_000 }, async () => {
    const { customer, budgetId } = await newCustomer();
    const feature = `feature of ${customer}`;
    const half = await gateways.createBudget({ kind: "feature", id: feature }, 50);
    const each = await gateways.createBudget({ kind: "feature" }, 80);
    await gateways.burst(CALLS, { customer, feature });
    const billed = upstream.billedCents(customer);
    expect(billed).toBeLessThanOrEqual(50);
    expect(billed).toBeGreaterThanOrEqual(50 - CENTS_A_CALL);
    expect(await expectAtRest(budgetId, customer)).toBe(billed / 100);
    expect((await gateways.budgetAtRest(half)).spentUsd).toBe(String(billed / 100));
    await gateways.archive(each);
  });

  it.each(rounds)("a process is killed in the middle, round %i", { timeout: 120_000 }, async () => {
    upstream.isSlow = true;
    const { customer, budgetId } = await newCustomer();
    const burst = gateways.burst(CALLS, { customer, isKilled: true });
    await upstream.untilCarriedOut(customer);
    await gateways.killOne();
    await burst;
    await gateways.burst(CALLS, { customer });
    expect(upstream.billedCents(customer)).toBeLessThanOrEqual(LIMIT_CENTS);
    await expectAtRest(budgetId, customer);
  });
});
