/** The first quarter of the time it waits. */
const WAITING_SHARE = 0.25;

export type WorkPhase = "waiting" | "working" | "done";

/**
 * Work that takes a while and needs no timer: how far it is depends on when it is asked. It never goes back, whatever
 * the clock does.
 */
export class TimedWork {
  readonly startedAtMs: number;
  readonly durationMs: number;
  #elapsedMs = 0;

  constructor(startedAtMs: number, durationMs: number) {
    this.startedAtMs = startedAtMs;
    this.durationMs = durationMs;
  }

  get beginsAfterMs(): number {
    return this.durationMs * WAITING_SHARE;
  }

  /** Since the start, at most the whole of it. */
  elapsedMs(nowMs: number): number {
    const elapsedMs = Math.min(nowMs - this.startedAtMs, this.durationMs);
    this.#elapsedMs = Math.max(this.#elapsedMs, elapsedMs);
    return this.#elapsedMs;
  }

  phase(nowMs: number): WorkPhase {
    const elapsedMs = this.elapsedMs(nowMs);
    if (elapsedMs >= this.durationMs) return "done";
    return elapsedMs >= this.beginsAfterMs ? "working" : "waiting";
  }

  /** When it reached a share of its time, in whole seconds since the epoch, as the APIs tell it. */
  secondsAt(share: number): number {
    return Math.floor((this.startedAtMs + this.durationMs * share) / 1000);
  }
}
