import { leanPicos, type LeanPicos } from "../money/lean-picos.ts";
import { DearestPrices, type TierChoice } from "../pricing/dearest-prices.ts";
import type { PriceRow } from "../pricing/price-book.ts";
import type { QuantityClass } from "../usage/quantities.ts";
import type { TokenBound } from "./call-bound.ts";

/** The dearest that a call's tokens can be charged at, in picos for one. */
export interface TokenPrices {
  /** Nothing of it costs anything, whatever the call uses. */
  readonly isFree: boolean;
  /** Why the call has no price; null where it has one. */
  readonly why: string | null;
  /** Of what the model reads. */
  readonly input: LeanPicos;
  readonly output: LeanPicos;
  /** For one use of a tool of the provider's, and for one search. */
  readonly hosted: LeanPicos;
  readonly search: LeanPicos;
}

/** What of a call decides about its prices. */
type TokenKind = Pick<
  TokenBound,
  | "cacheWrites"
  | "hostedClasses"
  | "hostedCalls"
  | "pictures"
  | "unseen"
  | "hasAudioInput"
  | "hasOutput"
  | "hasAudioOutput"
  | "searches"
>;

/**
 * The prices for calls that read up to so many tokens. Worked out once for all calls of a kind: `rows` is one list, as
 * `PriceBook.candidates` gives it, until a price changes.
 */
export function tokenPricesOf(
  rows: readonly PriceRow[],
  choice: TierChoice,
  bound: TokenKind,
  inputTokens: number,
): TokenPrices {
  const remembered = rememberedOf(rows);
  const traits = traitsOf(bound);
  for (const one of remembered) {
    if (one.traits === traits && isFor(one, choice, bound, inputTokens)) return one.prices;
  }
  const prices = findPrices(new DearestPrices(rows, choice), bound, inputTokens);
  if (remembered.length === MAX_REMEMBERED) remembered.length = 0;
  const { tier, isOpen, provider, model } = choice;
  const { cacheWrites, hostedClasses } = bound;
  const steps = stepsAround(rows, inputTokens);
  remembered.push({
    tier,
    isOpen,
    provider,
    model,
    traits,
    cacheWrites,
    hostedClasses,
    ...steps,
    prices,
  });
  return prices;
}

/** More kinds of calls to one model than anybody makes; a tier's name may be anything. */
const MAX_REMEMBERED = 32;

interface Remembered extends TierChoice, Pick<TokenKind, "cacheWrites" | "hostedClasses"> {
  readonly traits: number;
  /** The prices hold from `fromTokens` on, below `untilTokens`. */
  readonly fromTokens: number;
  readonly untilTokens: number;
  readonly prices: TokenPrices;
}

/** Memory of a pure function: nobody can tell whether it is there. */
const rememberedByRows = new WeakMap<readonly PriceRow[], Remembered[]>();

function rememberedOf(rows: readonly PriceRow[]): Remembered[] {
  let remembered = rememberedByRows.get(rows);
  if (remembered === undefined) {
    remembered = [];
    rememberedByRows.set(rows, remembered);
  }
  return remembered;
}

function isFor(
  one: Remembered,
  choice: TierChoice,
  bound: TokenKind,
  inputTokens: number,
): boolean {
  return (
    inputTokens >= one.fromTokens &&
    inputTokens < one.untilTokens &&
    one.isOpen === choice.isOpen &&
    one.tier === choice.tier &&
    one.provider === choice.provider &&
    one.model === choice.model &&
    isSameList(one.cacheWrites, bound.cacheWrites) &&
    isSameList(one.hostedClasses, bound.hostedClasses)
  );
}

function isSameList(a: readonly string[], b: readonly string[]): boolean {
  return a === b || (a.length === b.length && a.every((item, index) => item === b[index]));
}

function traitsOf(bound: TokenKind): number {
  return (
    (bound.pictures > 0 ? 1 : 0) +
    (readsMore(bound) ? 2 : 0) +
    (bound.hasAudioInput ? 4 : 0) +
    (bound.hasOutput ? 8 : 0) +
    (bound.hasAudioOutput ? 16 : 0) +
    (bound.searches > 0 ? 32 : 0)
  );
}

/** Whether the model reads what is not in the body, and may be anything. */
function readsMore({ unseen, hostedCalls }: TokenKind): boolean {
  return unseen !== null || hostedCalls > 0;
}

function stepsAround(rows: readonly PriceRow[], inputTokens: number) {
  let fromTokens = Number.NEGATIVE_INFINITY;
  let untilTokens = Number.POSITIVE_INFINITY;
  for (const { steps } of rows) {
    for (const { fromInputTokens } of steps) {
      if (fromInputTokens > inputTokens) untilTokens = Math.min(untilTokens, fromInputTokens);
      else fromTokens = Math.max(fromTokens, fromInputTokens);
    }
  }
  return { fromTokens, untilTokens };
}

function findPrices(prices: DearestPrices, bound: TokenKind, inputTokens: number): TokenPrices {
  const { isFree } = prices;
  prices.upTo(inputTokens);
  const text = prices.dearest(inputClasses(bound), ["input"]);
  const audio = bound.hasAudioInput ? prices.dearest(["audioInput"], ["audioInput"]) : 0n;
  const output = bound.hasOutput ? prices.dearest(outputClasses(bound), ["output"]) : 0n;
  let hosted = 0n;
  for (const name of bound.hostedClasses) hosted = larger(hosted, prices.dearest([name], [name]));
  const search = bound.searches > 0 ? prices.dearest(["webSearches"], ["webSearches"]) : 0n;
  return {
    isFree,
    why: prices.why,
    input: leanPicos(larger(text, audio)),
    output: leanPicos(output),
    hosted: leanPicos(hosted),
    search: leanPicos(search),
  };
}

function inputClasses(bound: TokenKind): readonly QuantityClass[] {
  const isAnything = readsMore(bound);
  return [
    "input",
    "cachedInput",
    ...bound.cacheWrites,
    ...(bound.pictures > 0 || isAnything ? (["imageInput", "cachedImageInput"] as const) : []),
    ...(isAnything ? (["audioInput", "cachedAudioInput"] as const) : []),
  ];
}

function outputClasses(bound: TokenKind): readonly QuantityClass[] {
  const classes = ["output", "reasoningOutput", "imageOutput"] as const;
  return bound.hasAudioOutput ? [...classes, "audioOutput"] : classes;
}

function larger(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}
