/** What a transaction adds to the ledger is added to the budgets that count it, in the same transaction. */
import type { CountedWindow, CountedWindows } from "../../../core/budgets/budget-rules.ts";
import {
  type BudgetMeasure,
  countedAmount,
  type WindowKey,
  windowIdOf,
} from "../../../core/budgets/budget.ts";
import type { LeaseHolder, Lending } from "../../../core/budgets/lease.ts";
import type { EventId } from "../../../core/ids/ids.ts";
import { exactPicos, leanPicos, sumOf, type LeanPicos } from "../../../core/money/lean-picos.ts";
import { type Picos, picos } from "../../../core/money/picos.ts";
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
  const groups = new EventGroups(postings);
  for (const event of events) {
    const windows = rules.windowsOf(event, event.requestedModel, event.startedAtMs);
    if (windows.length === 0) continue;
    const group = groups.groupOf(windows, heldFrom(lending, event));
    group.cost = sumOf(group.cost, leanPicos(countedAmount("cost", event)));
    group.price = sumOf(group.price, leanPicos(countedAmount("price", event)));
    if (event.deferred?.step !== "begun" || event.holdPicos === null) continue;
    for (const posting of group.lentPostings) {
      if (waiting.has(event.id)) posting.keep({ holder: event.id, picos: event.holdPicos });
      else posting.usedPicos += event.holdPicos;
    }
  }
  groups.post();
  await postings.write(target, lending?.holder);
}

/** The windows that an event was held against; "all": whichever count it; "none": it was held from nobody's lease. */
type HeldFrom = readonly Pick<CountedWindow, "id">[] | "all" | "none";

function heldFrom(lending: Lending | undefined, event: UsageEvent): HeldFrom {
  return lending === undefined ? "none" : (lending.windowsOf?.(event) ?? "all");
}

/** Events that the same windows count, and that were held from the same leases: few, for thousands of events. */
interface EventGroup {
  readonly postings: readonly Posting[];
  readonly lentPostings: readonly Posting[];
  cost: LeanPicos;
  price: LeanPicos;
}

class EventGroups {
  readonly #postings: Postings;
  readonly #groups = new Map<CountedWindows, Map<HeldFrom, EventGroup>>();

  constructor(postings: Postings) {
    this.#postings = postings;
  }

  groupOf(windows: CountedWindows, held: HeldFrom): EventGroup {
    let byHeld = this.#groups.get(windows);
    if (byHeld === undefined) {
      byHeld = new Map();
      this.#groups.set(windows, byHeld);
    }
    let group = byHeld.get(held);
    if (group === undefined) {
      const keys = windows.flatMap((key) => toPosted(key) ?? []);
      const lent = keys.filter((key) => isHeldFrom(held, windowIdOf(key)));
      group = {
        postings: keys.map((key) => this.#postings.of(key)),
        lentPostings: lent.map((key) => this.#postings.of(key)),
        cost: 0,
        price: 0,
      };
      byHeld.set(held, group);
    }
    return group;
  }

  post(): void {
    for (const byHeld of this.#groups.values()) {
      for (const group of byHeld.values()) {
        for (const posting of group.postings) posting.spentPicos += amountOf(group, posting);
        for (const posting of group.lentPostings) posting.usedPicos += amountOf(group, posting);
      }
    }
  }
}

function amountOf(group: EventGroup, { key }: Posting): Picos {
  return exactPicos(group[key.budget.measure]);
}

function isHeldFrom(held: HeldFrom, windowId: string): boolean {
  return held === "all" || (held !== "none" && held.some(({ id }) => id === windowId));
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
    const { requestedModel, startedAtMs } = event;
    for (const window of rules.windowsOf(event, requestedModel, startedAtMs)) {
      const key = toPosted(window);
      if (key === undefined) continue;
      postings.of(key).spentPicos += correctedBy(key.budget.measure, event, correction);
    }
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
function toPosted({ budget, subject, window }: WindowKey): WindowKey | undefined {
  if (window.endsAtMs !== null && window.endsAtMs <= budget.createdAtMs) return undefined;
  return { budget, subject: boundedText(subject), window };
}

/** What one transaction does to one window. */
class Posting {
  readonly key: WindowKey;
  spentPicos = 0n;
  /** Of what is spent, what was held for. */
  usedPicos = 0n;
  /** Stays set aside, for work that goes on. */
  readonly kept: { readonly holder: EventId; readonly picos: Picos }[] = [];

  constructor(key: WindowKey) {
    this.key = key;
  }

  keep(one: Posting["kept"][number]): void {
    if (one.picos > 0n) this.kept.push(one);
  }

  get isNothing(): boolean {
    return this.spentPicos === 0n && this.usedPicos === 0n && this.kept.length === 0;
  }
}

const NO_LEASES: ReadonlyMap<string, LockedLease> = new Map();

class Postings {
  readonly #byWindow = new Map<string, Posting>();

  of(key: WindowKey): Posting {
    const id = windowIdOf(key);
    let posting = this.#byWindow.get(id);
    if (posting === undefined) {
      posting = new Posting(key);
      this.#byWindow.set(id, posting);
    }
    return posting;
  }

  async write(target: BulkTarget, holder: LeaseHolder | undefined): Promise<void> {
    const postings = [...this.#byWindow].filter(([, posting]) => !posting.isNothing);
    if (postings.length === 0) return;
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
}
