import { WINDOW_MS } from "../../core/limits/sliding-window.ts";

const STEP_MS = 100;
const WINDOW_STEPS = WINDOW_MS / STEP_MS;

/** What this process itself has used in the last minute, by its own clock: all there is to go by without the store. */
export class RecentUse {
  #total = 0;
  /** Step, amount, step, amount … ascending. */
  readonly #counted: number[] = [];

  add(amount: number, nowMs: number): void {
    const step = Math.floor(nowMs / STEP_MS);
    const last = this.#counted.length - 2;
    if (last >= 0 && this.#counted[last] === step) {
      this.#counted[last + 1] = (this.#counted[last + 1] ?? 0) + amount;
    } else {
      this.#counted.push(step, amount);
      this.#drop(step);
    }
    this.#total += amount;
  }

  totalAt(nowMs: number): number {
    this.#drop(Math.floor(nowMs / STEP_MS));
    return this.#total;
  }

  /** Until something of it counts no longer. */
  nextLeavesInMs(nowMs: number): number {
    const [oldest] = this.#counted;
    if (oldest === undefined) return 0;
    return Math.max(0, Math.min(WINDOW_MS, (oldest + WINDOW_STEPS + 1) * STEP_MS - nowMs));
  }

  #drop(now: number): void {
    while (this.#counted.length > 0 && (this.#counted[0] ?? 0) + WINDOW_STEPS + 1 <= now) {
      const [, amount = 0] = this.#counted.splice(0, 2);
      this.#total -= amount;
    }
  }
}
