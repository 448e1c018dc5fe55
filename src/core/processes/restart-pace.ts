/** A process that lived for so long did not die of what it was started with. */
const STABLE_MS = 60_000;
const FIRST_DELAY_MS = 100;
const MAX_DELAY_MS = 30_000;

/** After so many early deaths in a row there is no hope left: more of the same would be a spin. */
export const MAX_EARLY_DEATHS = 8;

/** How long to wait before a process that died is started again: ever longer while it dies early. */
export class RestartPace {
  #earlyDeaths = 0;

  get earlyDeaths(): number {
    return this.#earlyDeaths;
  }

  /** Takes note of a death; the delay before the next start. */
  died(lifeMs: number): number {
    this.#earlyDeaths = lifeMs >= STABLE_MS ? 1 : this.#earlyDeaths + 1;
    return Math.min(FIRST_DELAY_MS * 2 ** (this.#earlyDeaths - 1), MAX_DELAY_MS);
  }
}
