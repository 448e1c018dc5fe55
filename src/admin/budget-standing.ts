import {
  carryOver,
  limitAt,
  windowIdOf,
  type Budget,
  type BudgetIncrease,
} from "../core/budgets/budget.ts";
import { windowAt, type PeriodWindow } from "../core/budgets/periods.ts";
import { formatUsd, picos, ZERO_PICOS } from "../core/money/picos.ts";
import type { BudgetWindowRecord } from "../store/budget-repository.ts";
import type { Store } from "../store/store.ts";
import { formatInstant, formatOptionalInstant } from "./fields/instants.ts";
import type { NameLookup } from "./name-lookup.ts";
import type { BudgetAnswer, WindowAnswer } from "./routes/budget-schemas.ts";
import { nameOfSubject } from "./scopes.ts";

/** What budgets are shown with. */
export interface StandingDeps {
  readonly store: Pick<Store, "budgets">;
  readonly names: NameLookup;
  readonly nowMs: number;
}

/** The one subject of a budget; null where each one of its scope has a window of its own. */
export function onlySubject({ scope }: Budget): string | null {
  return scope.kind === "organization" ? "" : scope.id;
}

/** Budgets with how they stand now. */
export async function formatBudgets(
  deps: StandingDeps,
  budgets: readonly Budget[],
): Promise<BudgetAnswer[]> {
  const places = budgets.map((budget) => placeOf(budget, deps.nowMs));
  const ids = places.flatMap((place) => (place === undefined ? [] : [place.id, place.beforeId]));
  const records = new Map(
    (await deps.store.budgets.findWindows(ids)).map((record) => [record.id, record]),
  );
  return Promise.all(
    budgets.map((budget, index) => {
      const place = places[index];
      const window = place && currentWindow(budget, place, records);
      return formatBudget(deps, budget, window && formatWindow(budget, window, deps.nowMs));
    }),
  );
}

interface Place {
  readonly subject: string;
  readonly window: PeriodWindow;
  readonly id: string;
  /** Of the window before, whose rest may be carried over. */
  readonly beforeId: string;
}

function placeOf(budget: Budget, nowMs: number): Place | undefined {
  const subject = onlySubject(budget);
  if (subject === null) return undefined;
  const window = windowAt(budget, nowMs);
  const before = windowAt(budget, window.startsAtMs - 1);
  return {
    subject,
    window,
    id: windowIdOf({ budget, subject, window }),
    beforeId: windowIdOf({ budget, subject, window: before }),
  };
}

/** The window's record; of one that no call has opened yet, what it will be opened with. */
function currentWindow(
  budget: Budget,
  { subject, window, id, beforeId }: Place,
  records: ReadonlyMap<string, BudgetWindowRecord>,
): BudgetWindowRecord {
  const found = records.get(id);
  if (found !== undefined) return found;
  const before = records.get(beforeId);
  return {
    id,
    budgetId: budget.id,
    subject,
    startsAtMs: window.startsAtMs,
    endsAtMs: window.endsAtMs,
    spentPicos: ZERO_PICOS,
    leasedPicos: ZERO_PICOS,
    lostPicos: ZERO_PICOS,
    carriedPicos: before === undefined ? ZERO_PICOS : carryOver(budget, before),
    refusedCalls: 0,
  };
}

/** Increases count where the window is the one of now. */
export function formatWindow(
  budget: Budget,
  record: BudgetWindowRecord,
  nowMs: number,
): WindowAnswer {
  const { startsAtMs, endsAtMs, spentPicos, leasedPicos } = record;
  const isCurrent = startsAtMs <= nowMs && (endsAtMs === null || nowMs < endsAtMs);
  const atMs = isCurrent ? nowMs : (endsAtMs ?? nowMs) - 1;
  const limitPicos = limitAt(budget, record.carriedPicos, atMs);
  return {
    subject: record.subject,
    startsAt: formatInstant(startsAtMs),
    endsAt: formatOptionalInstant(endsAtMs),
    effectiveLimitUsd: formatUsd(limitPicos),
    spentUsd: formatUsd(spentPicos),
    heldUsd: formatUsd(leasedPicos),
    lostUsd: formatUsd(record.lostPicos),
    remainingUsd: formatUsd(picos(limitPicos - spentPicos - leasedPicos)),
    refusedCalls: record.refusedCalls,
  };
}

async function formatBudget(
  { store, names, nowMs }: StandingDeps,
  budget: Budget,
  window: WindowAnswer | undefined,
): Promise<BudgetAnswer> {
  const { kind, id } = budget.scope;
  const isForEach = onlySubject(budget) === null && budget.archivedAtMs === null;
  const scopeName = id === null ? null : await nameOfSubject(names, kind, id);
  return {
    id: budget.id,
    name: budget.name,
    scope: { kind, id, name: scopeName },
    limitUsd: formatUsd(budget.limitPicos),
    period: budget.period,
    timezone: budget.timeZone,
    anchor: budget.anchor,
    measure: budget.measure,
    models: budget.models === null ? null : [...budget.models],
    rollsOver: budget.rollsOver,
    enforcement: budget.enforcement,
    onTightBudget: budget.onTightBudget,
    state: stateOf(budget, window),
    effectiveLimitUsd: window?.effectiveLimitUsd ?? null,
    spentUsd: window?.spentUsd ?? null,
    heldUsd: window?.heldUsd ?? null,
    lostUsd: window?.lostUsd ?? null,
    remainingUsd: window?.remainingUsd ?? null,
    refusedCalls: window?.refusedCalls ?? null,
    windowStartsAt: window?.startsAt ?? null,
    windowEndsAt: window?.endsAt ?? null,
    spread: isForEach ? await store.budgets.countSubjects(budget, nowMs) : null,
    increases: budget.increases.filter(({ untilMs }) => untilMs > nowMs).map(formatIncrease),
    pausedAt: formatOptionalInstant(budget.pausedAtMs),
    archivedAt: formatOptionalInstant(budget.archivedAtMs),
    createdBy: budget.createdBy,
    createdAt: formatInstant(budget.createdAtMs),
  };
}

function stateOf(budget: Budget, window: WindowAnswer | undefined): BudgetAnswer["state"] {
  if (budget.archivedAtMs !== null) return "archived";
  if (budget.pausedAtMs !== null) return "paused";
  const { remainingUsd } = window ?? {};
  const isUsedUp = remainingUsd === "0" || remainingUsd?.startsWith("-") === true;
  return isUsedUp ? "used_up" : "active";
}

function formatIncrease(increase: BudgetIncrease): BudgetAnswer["increases"][number] {
  return {
    id: increase.id,
    amountUsd: formatUsd(increase.amountPicos),
    from: formatInstant(increase.fromMs),
    until: formatInstant(increase.untilMs),
    reason: increase.reason,
    createdBy: increase.createdBy,
  };
}
