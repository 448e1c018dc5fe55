import type { DecideUses, LimitUse, LimitUseKey } from "../../src/core/limits/limit-use.ts";
import type { LimitUseSink } from "../../src/ledger/limits.ts";

/** What the store keeps of limits, with a clock and a reach that a test drives. */
export class MemoryLimitUses implements LimitUseSink {
  readonly uses = new Map<string, LimitUse>();
  readonly running = new Set<string>();
  trips = 0;
  /** What becomes of each trip: waits before and after it is written, and whether it fails. */
  road: () => { readonly before?: Promise<void>; readonly after?: Promise<void> } | "away" =
    () => ({});
  readonly #nowMs: () => number;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  async change(keys: readonly LimitUseKey[], decide: DecideUses): Promise<void> {
    this.trips += 1;
    const road = this.road();
    if (road === "away") throw new Error("the database does not answer");
    await road.before;
    const uses = keys.map(
      (key) => this.uses.get(nameOf(key)) ?? { ...key, requests: [], tokens: [], slots: {} },
    );
    const moment = { nowMs: this.#nowMs(), runningProcesses: this.running };
    for (const use of decide(uses, moment)) this.uses.set(nameOf(use), use);
    await road.after;
  }

  /** Uses that count nothing any more, and how they went. */
  idle = 0;
  readonly removals: number[] = [];

  async removeIdle(limit: number): Promise<number> {
    if (this.road() === "away") throw new Error("the database does not answer");
    const removed = Math.min(limit, this.idle);
    this.idle -= removed;
    this.removals.push(removed);
    return removed;
  }
}

function nameOf({ limitId, subject }: LimitUseKey): string {
  return `${limitId} ${subject}`;
}
