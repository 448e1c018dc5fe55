/**
 * Loads of one piece of state from the store, of which two can be under way: one that was given up, since the store kept
 * silent, may end after the one that took its place. What it has read is older, and must not come last: a revocation would
 * be undone.
 */
export class NewestLoad {
  #begun = 0;
  #applied = 0;

  /** Applies what was read, unless a load that began later has been applied already. Rejects with what `read` rejects with. */
  async run<State>(read: () => Promise<State>, apply: (state: State) => void): Promise<void> {
    this.#begun += 1;
    const number = this.#begun;
    const state = await read();
    if (number < this.#applied) return;
    this.#applied = number;
    apply(state);
  }
}
