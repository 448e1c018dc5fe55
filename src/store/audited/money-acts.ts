/** What is written about changes of prices, budgets and limits. */
import type { LeaseSource } from "../../core/budgets/lease.ts";
import type { BudgetRepository } from "../budget-repository.ts";
import type {
  CorrectionRepository,
  LimitRepository,
  PendingUsageRepository,
  PriceOverrideRepository,
} from "../store.ts";
import { about, type ActsOf, created, removal, update, type Within } from "./within.ts";

export function priceOverrideActs(within: Within): ActsOf<PriceOverrideRepository> {
  return {
    insert: (record) =>
      within(async ({ priceOverrides }, write) => {
        await priceOverrides.insert(record);
        const name = `${record.provider}/${record.model}`;
        await write(created("priceOverride", { ...record, name }));
      }),
    end: (id, change) =>
      within(({ priceOverrides }, write) =>
        update(
          { kind: "priceOverride", verb: "ended", write },
          () => priceOverrides.findById(id),
          () => priceOverrides.end(id, change),
        ),
      ),
  };
}

export function correctionActs(within: Within): ActsOf<CorrectionRepository> {
  return {
    /** One entry for all: each correction is a row of the ledger that names its author. */
    insert: (corrections) =>
      within(async ({ corrections: repository }, write) => {
        const result = await repository.insert(corrections);
        const [first] = corrections;
        if (result.inserted === 0 || first === undefined) return result;
        const ids = corrections.map(({ correction }) => correction.id);
        await write({
          action: "usage.corrected",
          target: { kind: "correction", id: first.correction.id, name: null },
          environmentId: null,
          before: null,
          after: JSON.stringify({ corrections: result.inserted, first: ids[0], last: ids.at(-1) }),
        });
        return result;
      }),
  };
}

type CollectorsWork = Exclude<keyof PendingUsageRepository, "retry">;

export function pendingUsageActs(within: Within): ActsOf<PendingUsageRepository, CollectorsWork> {
  return {
    retry: (id, nowMs) =>
      within(async ({ pendingUsage }, write) => {
        const before = await pendingUsage.findById(id);
        const isRetried = await pendingUsage.retry(id, nowMs);
        if (!isRetried || before === undefined) return isRetried;
        await write({
          ...about("pendingUsage", "retried", { id, environmentId: before.event.environmentId }),
          before: JSON.stringify({ problem: before.problem, checks: before.checks }),
          after: null,
        });
        return true;
      }),
  };
}

type Lending = keyof LeaseSource | "markLost" | "markFound";

export function budgetActs(within: Within): ActsOf<BudgetRepository, Lending> {
  return {
    insert: (budget) =>
      within(async ({ budgets }, write) => {
        await budgets.insert(budget);
        await write(created("budget", budget));
      }),
    update: (id, change) =>
      within(({ budgets }, write) =>
        update(
          { kind: "budget", write },
          () => budgets.findById(id),
          () => budgets.update(id, change),
        ),
      ),
    addIncrease: (id, increase) =>
      within(({ budgets }, write) =>
        update(
          { kind: "budget", verb: "increased", write },
          () => budgets.findById(id),
          () => budgets.addIncrease(id, increase),
        ),
      ),
    endIncrease: (id, increaseId, untilMs) =>
      within(({ budgets }, write) =>
        update(
          { kind: "budget", verb: "lowered", write },
          () => budgets.findById(id),
          () => budgets.endIncrease(id, increaseId, untilMs),
        ),
      ),
    archive: (id, atMs) =>
      within(({ budgets }, write) =>
        update(
          { kind: "budget", verb: "archived", write },
          () => budgets.findById(id),
          () => budgets.archive(id, atMs),
        ),
      ),
  };
}

export function limitActs(within: Within): ActsOf<LimitRepository> {
  return {
    insert: (record) =>
      within(async ({ limits }, write) => {
        await limits.insert(record);
        await write(created("limit", record));
      }),
    update: (record) =>
      within(({ limits }, write) =>
        update(
          { kind: "limit", write },
          () => limits.findById(record.id),
          () => limits.update(record),
        ),
      ),
    remove: (id) =>
      within(({ limits }, write) =>
        removal(
          { kind: "limit", write },
          () => limits.findById(id),
          () => limits.remove(id),
        ),
      ),
  };
}
