import type { RefusalCount, UsageEvent } from "../../src/core/usage/usage-event.ts";
import type { EventSink } from "../../src/ledger/ledger.ts";

/** The simplest sink there can be: a map by id, all or nothing, with switches for the ways a database fails. */
export class MemoryEventSink implements EventSink {
  readonly events = new Map<string, UsageEvent>();
  readonly refusals: RefusalCount[] = [];
  batches = 0;
  largestBatch = 0;
  offered = 0;
  /** What the next calls do instead of working; `commit-then-fail` is an answer that got lost. */
  failure: "none" | "fail" | "commit-then-fail" = "none";
  /** While set, calls wait for it. */
  gate: Promise<void> | undefined;

  async insertBatch(batch: {
    readonly events: readonly UsageEvent[];
    readonly refusals: readonly RefusalCount[];
  }): Promise<{ readonly inserted: number }> {
    this.batches += 1;
    this.largestBatch = Math.max(this.largestBatch, batch.events.length);
    await this.gate;
    if (this.failure === "fail") throw new Error("the database is away");
    let inserted = 0;
    for (const event of batch.events) {
      this.offered += 1;
      if (this.events.has(event.id)) continue;
      this.events.set(event.id, event);
      inserted += 1;
    }
    this.refusals.push(...batch.refusals);
    if (this.failure === "commit-then-fail") throw new Error("the connection was lost");
    return { inserted };
  }
}
