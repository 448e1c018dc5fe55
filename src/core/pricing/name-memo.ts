/**
 * Remembers what was found for a model's name at a provider. Names come from callers, so it is bounded: what was not
 * asked for since as many other names were is forgotten. A look-up of a name that is in use writes nothing.
 */
export class NameMemo<Found> {
  readonly #maxNames: number;
  #recent = new Map<string, Map<string, Found>>();
  #recentCount = 0;
  #earlier = new Map<string, Map<string, Found>>();

  /** It holds up to twice `maxNames`, and the last `maxNames` that were asked for in any case. */
  constructor(maxNames: number) {
    this.#maxNames = maxNames;
  }

  get(provider: string, model: string): Found | undefined {
    const recent = this.#recent.get(provider)?.get(model);
    if (recent !== undefined) return recent;
    const earlier = this.#earlier.get(provider)?.get(model);
    if (earlier !== undefined) this.set(provider, model, earlier);
    return earlier;
  }

  set(provider: string, model: string, found: Found): void {
    let names = this.#recent.get(provider);
    if (names?.has(model) !== true) {
      if (this.#recentCount === this.#maxNames) {
        this.#earlier = this.#recent;
        this.#recent = new Map();
        this.#recentCount = 0;
        names = undefined;
      }
      this.#recentCount += 1;
    }
    if (names === undefined) {
      names = new Map();
      this.#recent.set(provider, names);
    }
    names.set(model, found);
  }

  clear(): void {
    this.#recent = new Map();
    this.#recentCount = 0;
    this.#earlier = new Map();
  }
}
