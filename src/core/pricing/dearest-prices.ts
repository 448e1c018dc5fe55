import { QUANTITY_CLASSES, type QuantityClass } from "../usage/quantities.ts";
import { classPriced } from "./charges.ts";
import { STANDARD_TIER } from "./listed-rows.ts";
import type { PriceRow, UnitPrices } from "./price-book.ts";

/** Which rows a call can be charged by. */
export interface TierChoice {
  readonly provider: string;
  readonly model: string | null;
  /** As `PriceBook.tierOf` gives it. */
  readonly tier: string;
  /** The request leaves the tier to the provider. */
  readonly isOpen: boolean;
}

/**
 * The highest price of a class, over all rows that a call can be charged by. Remembers in `why` the first class without
 * a price that it was told to need.
 */
export class DearestPrices {
  /** Those of the tier that was asked for: without a price there, the call has none. */
  readonly #asked: readonly PriceRow[];
  readonly #rows: readonly PriceRow[];
  readonly #what: string;
  #inputTokens = 0;
  #why: string | null = null;

  constructor(candidates: readonly PriceRow[], choice: TierChoice) {
    const { provider, model, tier, isOpen } = choice;
    this.#asked = candidates.filter((row) => row.tier === tier);
    // Whoever asks for a dearer tier may be served on the standard one, and pays for that.
    const others = candidates.filter((row) => isOpen || row.tier === STANDARD_TIER);
    this.#rows = tier === STANDARD_TIER && !isOpen ? this.#asked : [...this.#asked, ...others];
    this.#what = `model ${JSON.stringify((model ?? "").slice(0, MAX_QUOTED))} at ${provider}`;
    const unmetered = this.#asked.flatMap((row) => row.unmeteredCharges);
    if (candidates.length === 0) this.#why = `no price for ${this.#what}`;
    else if (this.#asked.length === 0) this.#why = `no price for tier "${tier}" of ${this.#what}`;
    else if (unmetered.length > 0) {
      this.#why = `${this.#what} also charges every call by ${unmetered.join(", ")}`;
    }
  }

  /** Why the call has no price; null while nothing was missing. */
  get why(): string | null {
    return this.#why;
  }

  /** Whether nothing of it costs anything, whatever a call uses. */
  get isFree(): boolean {
    return this.#why === null && this.#rows.every(isFreeOfCharge);
  }

  /** From now on the prices are those of calls with up to so many input tokens, long-context steps included. */
  upTo(inputTokens: number): void {
    this.#inputTokens = inputTokens;
  }

  has(name: QuantityClass): boolean {
    return this.#asked.some((row) => row.unitPrices[name] !== undefined);
  }

  /** The highest price of the classes; one of `needed` that the asked tier has no price for is noted in `why`. */
  dearest(classes: readonly QuantityClass[], needed: readonly QuantityClass[]): bigint {
    for (const name of needed) {
      const isPriced = this.#asked.some((row) => classPriced(row.unitPrices, name) !== undefined);
      if (!isPriced) this.#why ??= `${this.#what} has no price for ${name}`;
    }
    let most = 0n;
    for (const row of this.#rows) {
      most = dearestOf(row.unitPrices, classes, most);
      for (const step of row.steps) {
        if (step.fromInputTokens > this.#inputTokens) break;
        most = dearestOf(step.unitPrices, classes, most);
      }
    }
    return most;
  }

  /** The price in that variant; the highest of all where the variant is open, or has no row of its own. */
  ofVariant(name: QuantityClass, variant: string | null): bigint {
    const price = this.#rows.find((row) => row.variant !== null && row.variant === variant);
    return price?.unitPrices[name] ?? this.dearest([name], [name]);
  }
}

const MAX_QUOTED = 100;

function dearestOf(prices: UnitPrices, classes: readonly QuantityClass[], most: bigint): bigint {
  let dearest = most;
  for (const name of classes) {
    const pricedAs = classPriced(prices, name);
    const price = pricedAs && prices[pricedAs];
    if (price !== undefined && price > dearest) dearest = price;
  }
  return dearest;
}

function isFreeOfCharge(row: PriceRow): boolean {
  return (
    row.unmeteredCharges.length === 0 &&
    row.steps.length === 0 &&
    QUANTITY_CLASSES.every((name) => row.unitPrices[name] === 0n)
  );
}
