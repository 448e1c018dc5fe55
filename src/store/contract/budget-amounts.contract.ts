import { type Budget, windowIdOf } from "../../core/budgets/budget.ts";
import type { LeaseHolder, Lending } from "../../core/budgets/lease.ts";
import { windowAt } from "../../core/budgets/periods.ts";
import { type Picos, picos } from "../../core/money/picos.ts";
import type { UsageEvent } from "../../core/usage/usage-event.ts";
import type { Store } from "../store.ts";
import { ids, SAMPLE_TIME_MS, sampleEvent } from "./samples.contract.ts";

/** The tests of budgets reckon in cents. */
export const CENT = 10_000_000_000n;
export const cents = (count: number): Picos => picos(BigInt(count) * CENT);

export function spentOn(count: number, overrides: Partial<UsageEvent> = {}): UsageEvent {
  return sampleEvent({ costPicos: cents(count), ...overrides });
}

export async function insertEvents(store: Store, events: readonly UsageEvent[], lending?: Lending) {
  return await store.usage.insertBatch({ events, refusals: [], lending });
}

/** The window of now, of whichever subject. */
export async function windowOf(store: Store, budget: Budget, subject = "") {
  const window = windowAt(budget, SAMPLE_TIME_MS);
  const [found] = await store.budgets.findWindows([windowIdOf({ budget, subject, window })]);
  return found;
}

export async function amountsOf(store: Store, budget: Budget, subject = "") {
  const { spentPicos = 0n, leasedPicos = 0n } = (await windowOf(store, budget, subject)) ?? {};
  return { spent: Number(spentPicos / CENT), leased: Number(leasedPicos / CENT) };
}

export async function leaseCents(
  store: Store,
  budget: Budget,
  wish: {
    readonly holder?: LeaseHolder;
    readonly need?: number;
    readonly least?: number;
    readonly extra?: number;
  },
): Promise<number> {
  const { holder = ids.create("prc"), need = 10, extra = 0 } = wish;
  const least = wish.least ?? need;
  const key = { budget, subject: "", window: windowAt(budget, SAMPLE_TIME_MS) };
  const [answer] = await store.budgets.lease({
    holder,
    atMs: SAMPLE_TIME_MS,
    asks: [{ key, leastPicos: cents(least), needPicos: cents(need), extraPicos: cents(extra) }],
  });
  return Number((answer?.grantedPicos ?? 0n) / CENT);
}
