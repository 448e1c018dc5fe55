import { WINDOW_SECONDS } from "../../core/limits/sliding-window.ts";

/** What this process itself has used in the last minute, by its own clock: all there is to go by without the store. */
export class RecentUse {
  #total = 0;
  /** Second, amount, second, amount … ascending. */
  readonly #counted: number[] = [];

  add(amount: number, nowMs: number): void {
    const second = Math.floor(nowMs / 1000);
    const last = this.#counted.length - 2;
    if (last >= 0 && this.#counted[last] === second) {
      this.#counted[last + 1] = (this.#counted[last + 1] ?? 0) + amount;
    } else {
      this.#counted.push(second, amount);
      this.#drop(second);
    }
    this.#total += amount;
  }

  totalAt(nowMs: number): number {
    this.#drop(Math.floor(nowMs / 1000));
    return this.#total;
  }

  /** Until something of it counts no longer. */
  nextLeavesInMs(nowMs: number): number {
    const [oldest] = this.#counted;
    return oldest === undefined ? 0 : Math.max(0, (oldest + WINDOW_SECONDS + 1) * 1000 - nowMs);
  }

  #drop(now: number): void {
    while (this.#counted.length > 0 && (this.#counted[0] ?? 0) + WINDOW_SECONDS + 1 <= now) {
      const [, amount = 0] = this.#counted.splice(0, 2);
      this.#total -= amount;
    }
  }
}
