import { randomBytes } from "node:crypto";
/**
 * Holds, settlements, flushes, crashes, lost answers, limits that change and increases that end, in any order, by two
 * processes on one real database: what is spent and lent never exceeds the limit, no call is held beyond the limit of
 * that instant, and at rest everything adds up to the pico-dollar.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  type Budget,
  type BudgetIncrease,
  limitAt,
  takenBackAt,
} from "../../src/core/budgets/budget.ts";
import { IdFactory, type ProcessId, type ProjectId } from "../../src/core/ids/ids.ts";
import { type Picos, picos, ZERO_PICOS } from "../../src/core/money/picos.ts";
import type { UsageEvent } from "../../src/core/usage/usage-event.ts";
import type { Hold } from "../../src/ledger/holds.ts";
import { LeaseBook } from "../../src/ledger/leases/lease-book.ts";
import { createLeasedSink } from "../../src/ledger/leases/leased-sink.ts";
import type { EventSink } from "../../src/ledger/ledger.ts";
import { unknownEvent } from "../../src/ledger/unknown-event.ts";
import { sampleBudget, sampleEvent } from "../../src/store/contract/samples.contract.ts";
import { SqliteStore } from "../../src/store/sqlite/sqlite-store.ts";
import { commands, EXAMPLES, type Trouble, units } from "./lease-steps.ts";

const RUNS = Number(process.env["KEYWARD_MODEL_RUNS"] ?? 40);
const NOW_MS = Date.UTC(2026, 0, 15);
const WINDOW_START_MS = Date.UTC(2026, 0, 1);
const ids = new IdFactory({ nowMs: () => NOW_MS, randomBytes });
const silent = { info: () => {}, warn: () => {}, error: () => {} };

/** The processes' clocks; calls all begin at the same instant, so that one window counts them. */
let clockMs = NOW_MS;
let directory = "";
let store: SqliteStore;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "keyward-leases-"));
  store = new SqliteStore({ path: join(directory, "keyward.db") });
  await store.migrate();
});
afterAll(async () => {
  await store.close();
  await rm(directory, { recursive: true });
});

interface InFlight {
  readonly hold: Hold;
  readonly event: UsageEvent;
}

class Process {
  readonly id: ProcessId = ids.create("prc");
  readonly book: LeaseBook;
  readonly sink: EventSink;
  trouble: Trouble = "none";
  inFlight: InFlight[] = [];
  settled: UsageEvent[] = [];
  /** What each call that was held may have cost or did cost, whatever became of it in the store. */
  readonly charges = new Map<string, UsageEvent>();
  #clockMs = 0;
  #running: Promise<void>[] = [];

  constructor(budgets: readonly Budget[]) {
    const { budgets: leases, usage } = store;
    const troubled = <Result>(work: () => Promise<Result>): Promise<Result> => this.#try(work);
    this.book = new LeaseBook({
      holder: this.id,
      source: {
        lease: (request) => troubled(() => leases.lease(request)),
        giveBack: (holder, amounts) => troubled(() => leases.giveBack(holder, amounts)),
        leasesOf: (holder) => troubled(() => leases.leasesOf(holder)),
        closeLeases: (holder) => leases.closeLeases(holder),
      },
      tasks: { run: (_name, work) => void this.#running.push(work) },
      log: silent,
      nowMs: () => clockMs,
      monotonicMs: () => this.#clockMs,
    });
    this.book.replaceBudgets(budgets);
    const sink: EventSink = { insertBatch: (batch) => troubled(() => usage.insertBatch(batch)) };
    this.sink = createLeasedSink(sink, this.book, this.id);
  }

  async call(of: Pick<UsageEvent, "projectId" | "customer" | "requestedModel">, amount: Picos) {
    const event = sampleEvent({
      ...of,
      id: ids.create("evt"),
      startedAtMs: NOW_MS,
      providerAccountId: null,
      holdPicos: amount,
    });
    const answer = await this.book.place(
      this.book.windowsOf(event, of.requestedModel, NOW_MS),
      amount,
    );
    if (answer.kind !== "held") return;
    this.inFlight.push({ hold: answer, event });
    this.charges.set(event.id, { ...event, costPicos: null });
  }

  end(one: InFlight, ending: "settled" | "released", part: number): void {
    this.inFlight = this.inFlight.filter((other) => other !== one);
    if (ending === "released") {
      this.charges.delete(one.event.id);
      one.hold.release();
      return;
    }
    const cost = (one.hold.picos * BigInt(part)) / 100n;
    const settled = { ...one.event, costPicos: picos(cost) };
    // As some are that were read back from the journal, an event need not say what was held for it.
    const event = part % 2 === 0 ? settled : { ...settled, hold: one.hold };
    one.hold.settle(event);
    this.settled.push(event);
    this.charges.set(event.id, event);
  }

  async flush(): Promise<void> {
    const events = this.settled;
    if (events.length === 0) return;
    try {
      await this.sink.insertBatch({ events, refusals: [] });
      this.settled = this.settled.slice(events.length);
    } catch (error) {
      // As the flusher does: the same events again, the next time.
      expect(String(error)).toContain("trouble");
    }
  }

  async rest(): Promise<void> {
    this.#clockMs += 5_000;
    this.book.sweep();
    await this.idle();
  }

  async idle(): Promise<void> {
    while (this.#running.length > 0) await Promise.all(this.#running.splice(0));
  }

  async #try<Result>(work: () => Promise<Result>): Promise<Result> {
    const { trouble } = this;
    if (trouble === "refuses") throw new Error("trouble");
    const result = await work();
    if (trouble === "loses the answer") throw new Error("trouble");
    return result;
  }
}

/** What recovery does with a journal. */
async function recover(dead: Process): Promise<void> {
  await dead.idle();
  const unknown = dead.inFlight.map(({ event }) => unknownEvent(event));
  const lending = { holder: dead.id };
  await store.usage.insertBatch({ events: [...dead.settled, ...unknown], refusals: [], lending });
  await store.budgets.closeLeases(dead.id);
}

test(
  "nothing is ever overspent, and at rest everything adds up",
  { timeout: 600_000 },
  async () => {
    await fc.assert(
      fc.asyncProperty(commands, units, async (steps, unit) => {
        clockMs = NOW_MS;
        const projectId = ids.create("prj");
        const ofProject = { kind: "project", id: projectId } as const;
        const budgets = [
          { scope: ofProject, limitPicos: picos(100n * unit) },
          { scope: { kind: "customer", id: null } as const, limitPicos: picos(60n * unit) },
          { scope: ofProject, models: ["o1"], limitPicos: picos(30n * unit) },
        ].map((rules) => sampleBudget({ id: ids.create("bud"), createdAtMs: NOW_MS, ...rules }));
        for (const budget of budgets) await store.budgets.insert(budget);
        let limits = budgets;
        /** The first budget's limit may fall below what is spent already; then no more may be lent than that. */
        let highest = 100n * unit;
        const processes = [new Process(budgets), new Process(budgets)];
        const started = [...processes];
        const change = (changed: Partial<Budget>): void => {
          const [first, ...others] = limits as [Budget, ...Budget[]];
          limits = [{ ...first, ...changed }, ...others] as typeof budgets;
          for (const one of processes) one.book.replaceBudgets(limits);
        };

        const checkWindows = async (): Promise<void> => {
          for (const [index, budget] of budgets.entries()) {
            const limit = index === 0 ? highest : budget.limitPicos;
            for (const { spentPicos, leasedPicos } of await windowsOf(budget, projectId)) {
              expect(leasedPicos).toBeGreaterThanOrEqual(0n);
              expect(spentPicos + leasedPicos).toBeLessThanOrEqual(limit);
            }
          }
        };

        /** Of the calls that a budget counts together with one: what they have cost, or may. */
        const chargedWith = ({ customer }: UsageEvent, index: number): bigint => {
          let sum = 0n;
          for (const { charges } of started) {
            for (const other of charges.values()) {
              if (index === 1 && other.customer !== customer) continue;
              if (index === 2 && other.requestedModel !== "o1") continue;
              sum += other.costPicos ?? other.holdPicos ?? 0n;
            }
          }
          return sum;
        };

        const checkAdmitted = (event: UsageEvent): void => {
          if (event.holdPicos === 0n) return;
          for (const [index, budget] of limits.entries()) {
            if (index === 1 && event.customer === null) continue;
            if (index === 2 && event.requestedModel !== "o1") continue;
            const limit = limitAt(budget, ZERO_PICOS, clockMs);
            expect(chargedWith(event, index)).toBeLessThanOrEqual(limit);
          }
        };

        for (const step of steps) {
          const process = processes["process" in step ? step.process : 0] as Process;
          if (step.kind === "calls") {
            const before = new Set(process.charges.keys());
            await Promise.all(
              step.calls.map(({ customer, model, amount }) =>
                process.call(
                  {
                    projectId,
                    customer: customer === null ? null : `${customer} of ${projectId}`,
                    requestedModel: model,
                  },
                  picos(BigInt(amount) * unit),
                ),
              ),
            );
            for (const [id, event] of process.charges) if (!before.has(id)) checkAdmitted(event);
          } else if (step.kind === "end") {
            const one = process.inFlight[step.which % Math.max(1, process.inFlight.length)];
            if (one !== undefined) process.end(one, step.ending, step.part);
          } else if (step.kind === "flush") await process.flush();
          else if (step.kind === "rest") await process.rest();
          else if (step.kind === "trouble") process.trouble = step.trouble;
          else if (step.kind === "crash") {
            await recover(process);
            const next = new Process(limits);
            processes[step.process] = next;
            started.push(next);
          } else if (step.kind === "clock") clockMs += step.ms;
          else if (step.kind === "increase") {
            const increase = {
              id: ids.create("inc"),
              amountPicos: picos(BigInt(step.amount) * unit),
              fromMs: clockMs,
              untilMs: clockMs + step.lastsMs,
              reason: null,
              createdBy: "local",
              createdAtMs: clockMs,
            };
            const [first] = limits as [Budget];
            await store.budgets.addIncrease(first.id, increase);
            change({ increases: [...first.increases, increase] });
          } else if (step.kind === "take back") {
            const [first] = limits as [Budget];
            const increases: BudgetIncrease[] = [];
            for (const increase of first.increases) {
              const untilMs = Math.min(increase.untilMs, takenBackAt(increase, clockMs));
              await store.budgets.endIncrease(first.id, increase.id, untilMs);
              increases.push({ ...increase, untilMs });
            }
            change({ increases });
          } else {
            const limitPicos = picos(BigInt(step.limit) * unit);
            await store.budgets.update((limits[0] as Budget).id, { limitPicos });
            change({ limitPicos });
          }
          const now = limitAt(limits[0] as Budget, ZERO_PICOS, clockMs);
          if (now > highest) highest = now;
          for (const one of processes) await one.idle();
          await checkWindows();
        }

        for (const process of processes) {
          process.trouble = "none";
          for (const one of process.inFlight) process.end(one, "settled", 100);
          await process.flush();
          // Whatever is in doubt is compared first.
          await process.rest();
          await process.rest();
          await process.idle();
        }
        await checkWindows();
        for (const budget of budgets) {
          const windows = await windowsOf(budget, projectId);
          expect(windows.map(({ leasedPicos }) => leasedPicos)).toEqual(windows.map(() => 0n));
        }
        expect(await spentByWindow(budgets, projectId)).toEqual(await ledgerOf(projectId, budgets));
        for (const budget of budgets) await store.budgets.archive(budget.id, NOW_MS);
      }),
      {
        numRuns: RUNS,
        examples: EXAMPLES,
      },
    );
  },
);

/** Customers of earlier runs are left out. */
async function windowsOf(budget: Budget, projectId: ProjectId) {
  const { rows } = await store.budgets.listWindows({ limit: 1000 }, { budgetId: budget.id });
  expect(rows.length).toBeLessThan(1000);
  return rows.filter(({ subject }) => subject.endsWith(projectId));
}

async function spentByWindow(
  budgets: readonly Budget[],
  projectId: ProjectId,
): Promise<Map<string, bigint>> {
  const spent = new Map<string, bigint>();
  for (const budget of budgets) {
    for (const { id, spentPicos } of await windowsOf(budget, projectId)) {
      if (spentPicos !== 0n) spent.set(id, spentPicos);
    }
  }
  return spent;
}

/** Added up from the ledger's own rows, with nothing of the code that keeps the windows. */
async function ledgerOf(
  projectId: ProjectId,
  [all, each, o1]: readonly Budget[],
): Promise<Map<string, bigint>> {
  const spent = new Map<string, bigint>();
  const { rows } = await store.usage.listEvents({ limit: 1000 }, { projectId });
  expect(rows.length).toBeLessThan(1000);
  for (const { costPicos, customer, requestedModel } of rows) {
    const add = (budget: Budget | undefined, subject: string | null): void => {
      const id = `${budget?.id}/${WINDOW_START_MS}/${subject}`;
      if (costPicos !== null && costPicos !== 0n) spent.set(id, (spent.get(id) ?? 0n) + costPicos);
    };
    add(all, projectId);
    if (customer !== null) add(each, customer);
    if (requestedModel === "o1") add(o1, projectId);
  }
  return spent;
}
