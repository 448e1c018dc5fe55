/** What a transaction adds to the ledger is added to the budgets that count it, in the same transaction. */
import {
  type Budget,
  type BudgetMeasure,
  countedAmount,
  type WindowKey,
  windowIdOf,
} from "../../../core/budgets/budget.ts";
import type { LeaseHolder, Lending } from "../../../core/budgets/lease.ts";
import { windowAt } from "../../../core/budgets/periods.ts";
import type { EventId } from "../../../core/ids/ids.ts";
import { type Picos, picos, ZERO_PICOS } from "../../../core/money/picos.ts";
import type { UsageEvent } from "../../../core/usage/usage-event.ts";
import type { CorrectionRecord } from "../../records.ts";
import { boundedText } from "../bounded-text.ts";
import type { BulkTarget } from "../bulk-insert.ts";
import {
  type LockedLease,
  openWindows,
  readLeases,
  saveLeases,
  saveWindows,
  takeFrom,
} from "./windows.ts";

/** Events that are new in the ledger. Those of which more is waited for keep what they have held. */
export async function postEvents(
  target: BulkTarget,
  events: readonly UsageEvent[],
  {
    lending,
    waiting,
  }: { readonly lending: Lending | undefined; readonly waiting: ReadonlySet<EventId> },
): Promise<void> {
  if (events.length === 0) return;
  const rules = await target.budgetRules.rulesIn(target);
  if (rules.isEmpty) return;
  const postings = new Postings();
  for (const event of events) {
    rules.visit(event, event.requestedModel, (budget, subject) => {
      const key = windowOf(budget, subject, event);
      if (key === undefined) return;
      const amount = countedAmount(budget.measure, event);
      postings.spend(key, amount);
      if (!isHeldFrom(lending, key, event)) return;
      postings.use(key, amount);
      if (event.deferred?.step !== "begun" || event.holdPicos === null) return;
      if (waiting.has(event.id)) postings.keep(key, { holder: event.id, picos: event.holdPicos });
      else postings.use(key, event.holdPicos);
    });
  }
  await postings.write(target, lending?.holder);
}

function isHeldFrom(lending: Lending | undefined, key: WindowKey, event: UsageEvent): boolean {
  if (lending === undefined) return false;
  return lending.windowsOf?.(event.id).includes(windowIdOf(key)) ?? true;
}

/** Corrections that are new in the ledger. */
export async function postCorrections(
  target: BulkTarget,
  corrections: readonly { readonly event: UsageEvent; readonly correction: CorrectionRecord }[],
): Promise<void> {
  if (corrections.length === 0) return;
  const rules = await target.budgetRules.rulesIn(target);
  if (rules.isEmpty) return;
  const postings = new Postings();
  for (const { event, correction } of corrections) {
    rules.visit(event, event.requestedModel, (budget, subject) => {
      const key = windowOf(budget, subject, event);
      if (key !== undefined) postings.spend(key, correctedBy(budget.measure, event, correction));
    });
  }
  await postings.write(target, undefined);
}

function correctedBy(
  measure: BudgetMeasure,
  event: UsageEvent,
  { costPicos, previousCostPicos }: CorrectionRecord,
): Picos {
  const before = countedAmount(measure, { ...event, costPicos: previousCostPicos });
  return picos(countedAmount(measure, { ...event, costPicos }) - before);
}

/** Undefined for a window that was over before there was the budget: nobody has added up its ledger. */
function windowOf(budget: Budget, subject: string, event: UsageEvent): WindowKey | undefined {
  const window = windowAt(budget, event.startedAtMs);
  if (window.endsAtMs !== null && window.endsAtMs <= budget.createdAtMs) return undefined;
  return { budget, subject: boundedText(subject), window };
}

interface Posting {
  readonly key: WindowKey;
  spentPicos: bigint;
  /** Of what is spent, what was held for. */
  usedPicos: bigint;
  /** Stays set aside, for work that goes on. */
  readonly kept: { readonly holder: EventId; readonly picos: Picos }[];
}

const NO_LEASES: ReadonlyMap<string, LockedLease> = new Map();

class Postings {
  readonly #byWindow = new Map<string, Posting>();

  spend(key: WindowKey, amount: Picos): void {
    if (amount !== 0n) this.#of(key).spentPicos += amount;
  }

  use(key: WindowKey, amount: Picos): void {
    if (amount !== 0n) this.#of(key).usedPicos += amount;
  }

  keep(key: WindowKey, one: Posting["kept"][number]): void {
    if (one.picos > 0n) this.#of(key).kept.push(one);
  }

  async write(target: BulkTarget, holder: LeaseHolder | undefined): Promise<void> {
    if (this.#byWindow.size === 0) return;
    const postings = [...this.#byWindow];
    const windows = await openWindows(
      target,
      postings.map(([, { key }]) => key),
    );
    const leases =
      holder === undefined ? NO_LEASES : await readLeases(target, [...windows.keys()], holder);
    const kept: LockedLease[] = [];
    for (const [windowId, posting] of postings) {
      const window = windows.get(windowId);
      if (window === undefined) throw new Error(`the window ${windowId} was not opened`);
      const lease = leases.get(windowId);
      window.spentPicos = picos(window.spentPicos + posting.spentPicos);
      window.leasedPicos = picos(window.leasedPicos - takeFrom(lease, picos(posting.usedPicos)));
      for (const { holder: work, picos: wanted } of posting.kept) {
        const leasedPicos = takeFrom(lease, wanted);
        kept.push({ windowId, holder: work, lostAtMs: null, leasedPicos });
      }
    }
    await saveWindows(target, windows.values());
    await saveLeases(target, [...leases.values(), ...kept]);
  }

  #of(key: WindowKey): Posting {
    const id = windowIdOf(key);
    let posting = this.#byWindow.get(id);
    if (posting === undefined) {
      posting = { key, spentPicos: ZERO_PICOS, usedPicos: ZERO_PICOS, kept: [] };
      this.#byWindow.set(id, posting);
    }
    return posting;
  }
}
