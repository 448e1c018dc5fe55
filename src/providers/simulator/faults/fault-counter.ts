import type { Fault } from "./fault.ts";

/** Texts whose calls are counted; past it the one that was not used for the longest time starts anew. */
const MAX_COUNTS = 1000;

/** Counts calls by the text of their fault, so that one can strike a number of times and then let the calls pass. */
export class FaultCounter {
  readonly #calls = new Map<string, number>();

  /** Whether the fault strikes this call; counts it. */
  strikes({ text, times, every }: Fault): boolean {
    const call = (this.#calls.get(text) ?? 0) + 1;
    this.#calls.delete(text);
    this.#calls.set(text, call);
    if (this.#calls.size > MAX_COUNTS) {
      const [oldest = ""] = this.#calls.keys();
      this.#calls.delete(oldest);
    }
    return call % every === 0 && (times === null || call / every <= times);
  }
}
