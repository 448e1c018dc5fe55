import { exactPicos, leanPicos, sumOf, timesOf, type LeanPicos } from "../money/lean-picos.ts";
import type { Picos } from "../money/picos.ts";
import { DearestPrices, type TierChoice } from "../pricing/dearest-prices.ts";
import type { PriceBook } from "../pricing/price-book.ts";
import type { ModelLimits } from "../pricing/price-list.ts";
import type {
  CallBound,
  PictureBound,
  RecordingBound,
  SpeechBound,
  TokenBound,
} from "./call-bound.ts";
import { tokenPricesOf } from "./token-prices.ts";

/** What is assumed of models and files whose limits nobody has published. */
export interface BoundCeilings {
  /** Tokens that a model reads at most in one turn. */
  readonly contextTokens: number;
  readonly outputTokens: number;
  /** Tokens that a picture sent to a model counts as. */
  readonly pictureTokens: number;
  /** The least that a second of a recording takes, in bits. */
  readonly audioBitsPerSecond: number;
}

export const DEFAULT_BOUND_CEILINGS: BoundCeilings = {
  contextTokens: 1_050_000,
  outputTokens: 131_072,
  // The most that is published of any model: gpt-4o-mini counts the largest picture as 48,169.
  pictureTokens: 50_000,
  // Below every speech codec's lowest rate (AMR-NB 4750, Opus for speech 6000, MP3 8000).
  audioBitsPerSecond: 4000,
};

export interface WorstCaseDeps {
  readonly priceBook: Pick<PriceBook, "candidates" | "limits" | "tierOf">;
  readonly ceilings: BoundCeilings;
}

/** Where the call would go. */
export interface BoundWay {
  /** The provider's name in the price book. */
  readonly provider: string;
  readonly model: string | null;
  /** What the request names to fall back to: each of them may answer as well. */
  readonly otherModels: readonly (string | null)[];
  readonly atMs: number;
  /** Fields of limits on the output that the provider does not heed. */
  readonly ignoredLimits: readonly string[];
}

export type WorstCase =
  /** `amount` is above zero. */
  | { readonly kind: "bounded"; readonly amount: LeanPicos }
  | { readonly kind: "free" }
  /** `why` says what has no price. */
  | { readonly kind: "unpriced"; readonly why: string }
  /** `why` completes "Its cost has no upper bound, because …". */
  | { readonly kind: "unbounded"; readonly why: string };

/**
 * The most that a call can cost, before it is sent: never less than what it is charged afterwards, whichever of the
 * models answers, on whichever tier the request allows, however its tokens fall into classes.
 *
 * It holds because a token of text takes a byte of the body at least (every tokenizer in use works on bytes, or falls
 * back to them); because what is not in the body has to fit into the model's context window; and because a provider
 * heeds the limit on the output that it is sent. A provider that breaks its own limits is charged what it charges.
 */
export function worstCaseOf(deps: WorstCaseDeps, way: BoundWay, bound: CallBound): WorstCase {
  if (bound.kind === "free") return bound;
  let worst = worstOfModel(deps, way, way.model, bound);
  for (const model of way.otherModels) {
    worst = worseOf(worst, worstOfModel(deps, way, model, bound));
  }
  return worst;
}

/** Where one has no price, nobody can say what it costs; then, where one has no end. */
function worseOf(one: WorstCase, other: WorstCase): WorstCase {
  if (one.kind === "bounded" && other.kind === "bounded") {
    return other.amount > one.amount ? other : one;
  }
  return BADNESS[other.kind] > BADNESS[one.kind] ? other : one;
}

const BADNESS = { free: 0, bounded: 1, unbounded: 2, unpriced: 3 } as const;

/**
 * The highest limit on the output of each answer with which the call costs no more than an amount: for a budget that is
 * nearly used up. Null where there is none that the endpoint would take, and where a limit changes nothing.
 */
export function affordableOutput(
  deps: WorstCaseDeps,
  way: BoundWay,
  { bound, amountPicos }: { readonly bound: CallBound; readonly amountPicos: Picos },
): number | null {
  if (bound.kind !== "tokens" || !bound.hasOutput) return null;
  let lowest = Number.MAX_SAFE_INTEGER;
  for (const model of [way.model, ...way.otherModels]) {
    const parts = tokenParts(deps, way, model, bound);
    if (parts.why !== null) return null;
    const { outputTokens } = parts;
    const perTokenPicos = exactPicos(parts.perToken);
    const left = amountPicos - exactPicos(parts.fixed);
    if (left < 0n) return null;
    const tokens = perTokenPicos === 0n ? BigInt(outputTokens) : left / perTokenPicos;
    lowest = Math.min(lowest, outputTokens, Number(tokens));
  }
  return lowest >= bound.minOutputTokens ? lowest : null;
}

function worstOfModel(
  deps: WorstCaseDeps,
  way: BoundWay,
  model: string | null,
  bound: CallBound,
): WorstCase {
  if (bound.kind === "tokens") return tokenCost(tokenParts(deps, way, model, bound));
  const given = givenOf(deps, way, model);
  const { prices } = given;
  if (prices.isFree) return { kind: "free" };
  if (bound.kind === "free" || bound.kind === "unbounded") return bound;
  if (bound.kind === "speech") return speechCost(given, bound);
  if (bound.kind === "recording") return recordingCost(given, bound);
  return pictureCost(given, bound);
}

interface Given {
  readonly prices: DearestPrices;
  readonly limits: ModelLimits;
  readonly ceilings: BoundCeilings;
}

function givenOf(deps: WorstCaseDeps, way: BoundWay, model: string | null): Given {
  const { priceBook, ceilings } = deps;
  const asked = { provider: way.provider, model, atMs: way.atMs };
  const rows = priceBook.candidates(asked);
  return {
    prices: new DearestPrices(rows, tierChoice(deps, asked, null)),
    limits: priceBook.limits(asked),
    ceilings,
  };
}

function tierChoice(
  { priceBook }: WorstCaseDeps,
  { provider, model }: Pick<TierChoice, "provider" | "model">,
  serviceTier: string | null,
): TierChoice {
  // A project's own setting decides what `auto` means, so it may be any tier.
  const isOpen = serviceTier === null || serviceTier.toLowerCase() === "auto";
  return { provider, model, tier: priceBook.tierOf(provider, serviceTier), isOpen };
}

interface TokenParts {
  readonly isFree: boolean;
  /** Why it has no price; null where it has one. */
  readonly why: string | null;
  /** Everything but the output of the answers. */
  readonly fixed: LeanPicos;
  /** For one more token in the limit of an answer. */
  readonly perToken: LeanPicos;
  /** The limit that holds now. */
  readonly outputTokens: number;
}

function tokenCost({ isFree, why, fixed, perToken, outputTokens }: TokenParts): WorstCase {
  if (why !== null) return { kind: "unpriced", why };
  if (isFree) return { kind: "free" };
  return bounded(sumOf(fixed, timesOf(perToken, outputTokens)));
}

function tokenParts(
  deps: WorstCaseDeps,
  way: BoundWay,
  model: string | null,
  bound: TokenBound,
): TokenParts {
  const { priceBook, ceilings } = deps;
  const asked = { provider: way.provider, model, atMs: way.atMs };
  const limits = priceBook.limits(asked);
  const turns = 1 + bound.hostedCalls;
  const inputTokens = inputTokensOf(bound, limits, ceilings) * turns;
  const rows = priceBook.candidates(asked);
  const choice = tierChoice(deps, asked, bound.serviceTier);
  const prices = tokenPricesOf(rows, choice, bound, inputTokens);
  const limit = heededLimit(bound, way);
  const { context = ceilings.outputTokens } = limits;
  const perAnswerTurns = limit === null || bound.isLimitPerTurn ? turns : 1;
  return {
    isFree: prices.isFree,
    why: prices.why,
    fixed: sumOf(
      sumOf(timesOf(prices.input, inputTokens), timesOf(prices.output, bound.extraOutputTokens)),
      sumOf(timesOf(prices.hosted, bound.hostedCalls), timesOf(prices.search, bound.searches)),
    ),
    perToken: timesOf(prices.output, bound.answers * perAnswerTurns),
    outputTokens: limit ?? limits.output ?? context,
  };
}

/** What the model reads in one turn. */
function inputTokensOf(bound: TokenBound, limits: ModelLimits, ceilings: BoundCeilings): number {
  const { context, picture = ceilings.pictureTokens } = limits;
  const inBody = bound.inputTokens + bound.pictures * picture;
  if (bound.unseen === null && bound.hostedCalls === 0) return Math.min(inBody, context ?? inBody);
  return context ?? Math.max(inBody, ceilings.contextTokens);
}

/** The highest of those that the provider may go by; null: it goes by none. */
function heededLimit(bound: TokenBound, way: BoundWay): number | null {
  let highest: number | null = null;
  for (const field in bound.outputLimits) {
    const tokens = bound.outputLimits[field] ?? 0;
    if (!way.ignoredLimits.includes(field)) highest = Math.max(highest ?? 0, tokens);
  }
  return highest;
}

/**
 * Audio tokens for a character where speech is priced by what is heard: 1250 tokens a minute (OpenAI's own estimate for
 * gpt-4o-mini-tts) at three characters a second, a quarter of the usual pace.
 */
const AUDIO_TOKENS_PER_CHARACTER = 7;

function speechCost({ prices }: Given, bound: SpeechBound): WorstCase {
  const characters = BigInt(bound.characters);
  if (prices.has("inputCharacters")) {
    return priced(prices, prices.dearest(["inputCharacters"], ["inputCharacters"]) * characters);
  }
  const spoken = Math.ceil(bound.characters * (AUDIO_TOKENS_PER_CHARACTER / bound.speed));
  prices.upTo(bound.characters);
  const input = prices.dearest(["input"], ["input"]) * characters;
  return priced(prices, input + prices.dearest(["audioOutput"], ["audioOutput"]) * BigInt(spoken));
}

/** A tenth of a second of audio is a token, by OpenAI's count. */
const MS_PER_AUDIO_TOKEN = 100;

function recordingCost(given: Given, bound: RecordingBound): WorstCase {
  const { prices, limits, ceilings } = given;
  const lengthMs = Math.ceil((bound.bytes * 8 * 1000) / ceilings.audioBitsPerSecond);
  if (prices.has("audioInputMs")) {
    return priced(prices, prices.dearest(["audioInputMs"], ["audioInputMs"]) * BigInt(lengthMs));
  }
  const heard = Math.ceil(lengthMs / MS_PER_AUDIO_TOKEN);
  // The prompt stands in the form as well, so its tokens are among the bytes.
  const inputTokens = Math.min(heard + bound.bytes, limits.context ?? Number.MAX_SAFE_INTEGER);
  const outputTokens = limits.output ?? limits.context ?? ceilings.outputTokens;
  prices.upTo(inputTokens);
  const input = prices.dearest(["audioInput", "input"], ["audioInput"]) * BigInt(inputTokens);
  return priced(prices, input + prices.dearest(["output"], ["output"]) * BigInt(outputTokens));
}

/** What one unfinished picture adds. Source: OpenAI's image generation guide, partial images. */
const TOKENS_PER_PARTIAL_PICTURE = 100;

function pictureCost({ prices, limits, ceilings }: Given, bound: PictureBound): WorstCase {
  if (prices.has("images")) {
    return priced(prices, prices.ofVariant("images", bound.variant) * BigInt(bound.pictures));
  }
  const sent = bound.sentPictures * (limits.picture ?? ceilings.pictureTokens);
  const inputTokens = bound.inputTokens + sent;
  prices.upTo(inputTokens);
  const input = prices.dearest(["input", "cachedInput", "imageInput"], ["input"]);
  const output = prices.dearest(["imageOutput", "output"], ["imageOutput"]);
  if (prices.why !== null) return { kind: "unpriced", why: prices.why };
  if (limits.drawnPicture === undefined) {
    return { kind: "unbounded", why: "how many tokens a picture of its model takes is not known" };
  }
  const drawn = limits.drawnPicture + bound.partialPictures * TOKENS_PER_PARTIAL_PICTURE;
  return bounded(leanPicos(input * BigInt(inputTokens) + output * BigInt(drawn * bound.pictures)));
}

function priced(prices: DearestPrices, amount: bigint): WorstCase {
  return prices.why === null ? bounded(leanPicos(amount)) : { kind: "unpriced", why: prices.why };
}

function bounded(amount: LeanPicos): WorstCase {
  return amount === 0 ? { kind: "free" } : { kind: "bounded", amount };
}
