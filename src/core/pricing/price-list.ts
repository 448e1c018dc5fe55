/**
 * The price list: the data that a price book is made of, as `scripts/build-price-book.ts` writes it. Compact, because
 * every process loads it; a price is a whole number of picos for one unit of its class (1 USD per million tokens =
 * 1,000,000 for a token).
 */
import type { QuantityClass } from "../usage/quantities.ts";

export interface PriceList {
  /** Where the prices come from, with the version: stands in every row. */
  readonly source: string;
  readonly providers: readonly ListedProvider[];
}

export interface ListedProvider {
  readonly name: string;
  /** Regular expression for the beginning of a base URL at which this provider answers. */
  readonly apiPattern: string;
  /** Providers whose prices hold for models that this one does not list, in order. */
  readonly fallbacks?: readonly string[];
  /** Further words by which this provider calls its standard tier. */
  readonly standardTiers?: readonly string[];
  /** In the order in which their matches are tried. */
  readonly models: readonly ListedModel[];
}

/**
 * `[id, match, prices]`, and behind them the limits where any is known. Of the prices that hold at an instant the last
 * one counts.
 */
export type ListedModel = readonly [string, ModelMatch, readonly ListedPrices[], ModelLimits?];

/** How much one call of a model can take and give. An absent limit is not known; none is ever too low. */
export interface ModelLimits {
  /** Tokens that are charged for at most, in one turn of the model: its context window. */
  readonly context?: number;
  /** Tokens that one answer has at most. */
  readonly output?: number;
  /** Tokens that one picture counts as at most, where it is sent to the model. */
  readonly picture?: number;
  /** Tokens that a picture takes at most, where it is made by the model. */
  readonly drawnPicture?: number;
}

export interface ListedPrices {
  /** Absent: the standard tier. */
  readonly tier?: string;
  /** Absent: whatever the variant. */
  readonly variant?: string;
  /** Where these prices come from; absent: the list's source. */
  readonly source?: string;
  /** First day (UTC) and the same in milliseconds; absent: from the beginning. */
  readonly from?: readonly [string, number];
  /** Exclusive, milliseconds; absent: still valid. */
  readonly untilMs?: number;
  /** Seconds of the UTC day, start inclusive, end exclusive; may run over midnight. Absent: the whole day. */
  readonly daily?: readonly [number, number];
  /** Whether everything is free; then there are no unit prices. */
  readonly free?: true;
  readonly units?: ListedUnits;
  /** `[fromInputTokens, units]`, ascending. */
  readonly steps?: readonly (readonly [number, ListedUnits])[];
  /** See PriceRow. */
  readonly everyCall?: readonly string[];
  readonly onUse?: readonly string[];
}

/** Picos for one unit of a class. */
export type ListedUnits = Readonly<Partial<Record<QuantityClass, number>>>;

/** When a model's name is meant: a text is the whole name, a list means any of its members. */
export type ModelMatch =
  | string
  | readonly ModelMatch[]
  | { readonly startsWith: string }
  | { readonly endsWith: string }
  | { readonly contains: string }
  | { readonly regex: string }
  | { readonly and: readonly ModelMatch[] };
