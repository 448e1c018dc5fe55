import type { Mishap, StreamStep } from "../endpoint.ts";
import type { SimulatedResponse } from "./simulated-response.ts";
import type { TimedWork } from "./timed-work.ts";

/** A response that can be read again. One in the background is as far as its time has come. */
export class StoredResponse {
  readonly #response: SimulatedResponse;
  readonly #work: TimedWork | undefined;
  #isCancelled = false;

  /** Without `work` it is not in the background: it has ended. */
  constructor(response: SimulatedResponse, work: TimedWork | undefined) {
    this.#response = response;
    this.#work = work;
  }

  get isBackground(): boolean {
    return this.#work !== undefined;
  }

  snapshot(nowMs: number): object {
    if (this.#isCancelled) return this.#response.snapshot("cancelled");
    switch (this.#work?.phase(nowMs) ?? "done") {
      case "waiting":
        return this.#response.snapshot("queued");
      case "working":
        return this.#response.snapshot("in_progress");
      case "done":
      default:
        return this.#response.snapshot(this.#response.endStatus);
    }
  }

  /** Changes nothing when it has ended. */
  cancel(nowMs: number): void {
    if (this.#work !== undefined && this.#work.phase(nowMs) !== "done") this.#isCancelled = true;
  }

  /** The events whose number is larger than `after`. A stream of one that is cancelled ends without a last event. */
  *steps(nowMs: number, after = -1): Generator<StreamStep | Mishap> {
    let sequenceNumber = 0;
    for (const step of this.#response.steps(this.#waits(nowMs))) {
      if ("mishap" in step) {
        yield step;
        continue;
      }
      if (sequenceNumber > after) yield step;
      sequenceNumber += 1;
    }
  }

  #waits(nowMs: number) {
    const work = this.#work;
    if (work === undefined) return undefined;
    const elapsedMs = work.elapsedMs(nowMs);
    const queuedMs = Math.max(0, work.beginsAfterMs - elapsedMs);
    return {
      queuedMs,
      workingMs: Math.max(0, work.durationMs - elapsedMs - queuedMs),
      isCancelled: () => this.#isCancelled,
    };
  }
}
