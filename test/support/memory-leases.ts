import { type Budget, increaseEndAt, limitAt, windowIdOf } from "../../src/core/budgets/budget.ts";
import { grantOf } from "../../src/core/budgets/grant.ts";
import type { LeaseSource } from "../../src/core/budgets/lease.ts";
import type { BudgetId, ProcessId } from "../../src/core/ids/ids.ts";
import { type Picos, picos, ZERO_PICOS } from "../../src/core/money/picos.ts";
import { LeaseBook } from "../../src/ledger/leases/lease-book.ts";

export interface MemoryLeases extends LeaseSource {
  /** What is leased of each window. */
  readonly leased: Map<string, bigint>;
  isAway: boolean;
}

/** A store of leases for one process, on which nothing is ever spent. */
export function createMemoryLeases(): MemoryLeases {
  const leased = new Map<string, bigint>();
  const source: MemoryLeases = {
    leased,
    isAway: false,
    lease: async ({ asks, atMs }) => {
      if (source.isAway) throw new Error("the store is away");
      return asks.map((ask) => {
        const id = windowIdOf(ask.key);
        const limitPicos = limitAt(ask.key.budget, ZERO_PICOS, atMs);
        const before = { limitPicos, spentPicos: ZERO_PICOS, leasedPicos: amountOf(leased, id) };
        const grantedPicos = grantOf(before, ask);
        leased.set(id, before.leasedPicos + grantedPicos);
        const limitUntilMs = increaseEndAt(ask.key.budget, atMs);
        return { ...before, grantedPicos, limitUntilMs, leasedPicos: amountOf(leased, id) };
      });
    },
    giveBack: async (_holder, amounts) => {
      for (const { windowId, picos: amount } of amounts) {
        leased.set(windowId, amountOf(leased, windowId) - amount);
      }
    },
    leasesOf: async () => new Map(leased as Map<string, Picos>),
    closeLeases: async () => leased.clear(),
  };
  return source;
}

function amountOf(leased: ReadonlyMap<string, bigint>, id: string): Picos {
  return picos(leased.get(id) ?? 0n);
}

export function createLeaseBook(source: LeaseSource, budgets: readonly Budget[]): LeaseBook {
  const book = new LeaseBook({
    holder: "prc_test" as ProcessId,
    source,
    tasks: { run: (_name, work) => void work },
    log: { info: () => {}, warn: () => {}, error: () => {} },
    nowMs: Date.now,
    monotonicMs: () => performance.now(),
  });
  book.replaceBudgets(budgets);
  return book;
}

/** A hard budget of so many picos in all, for everybody. */
export function hardBudget(limitPicos: bigint, overrides: Partial<Budget> = {}): Budget {
  return {
    id: "bud_test" as BudgetId,
    name: null,
    scope: { kind: "organization", id: null },
    measure: "cost",
    models: null,
    period: "total",
    timeZone: "UTC",
    anchor: null,
    rollsOver: false,
    limitPicos: picos(limitPicos),
    enforcement: "hard",
    onTightBudget: "refuse",
    pausedAtMs: null,
    archivedAtMs: null,
    createdBy: "local",
    createdAtMs: 0,
    increases: [],
    ...overrides,
  };
}
