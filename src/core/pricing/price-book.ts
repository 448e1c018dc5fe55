import type { Picos } from "../money/picos.ts";
import type { Quantities, QuantityClass } from "../usage/quantities.ts";
import type { PricingState } from "../usage/usage-event.ts";
import type { ModelLimits } from "./price-list.ts";

/**
 * Picos for one unit of a class: a token, a millisecond, a character, an image, a call. A class that is absent has no
 * price of its own; an explicit 0n is free.
 */
export type UnitPrices = Readonly<Partial<Record<QuantityClass, bigint>>>;

/** Prices that hold from a number of input tokens on (long-context steps); the whole call is charged at them. */
interface PriceStep {
  readonly fromInputTokens: number;
  readonly unitPrices: UnitPrices;
}

/** Seconds of the UTC day, start inclusive, end exclusive; an end before the start runs over midnight. */
export interface DailyWindow {
  readonly fromSecond: number;
  readonly untilSecond: number;
}

/** One dated row: what one model costs at one provider on one service tier from a day on. */
export interface PriceRow {
  /**
   * `<provider>/<model>/<tier>@<validFrom>`, with the variant in brackets behind the model and the window at the end
   * where there is one; of an override with its id in front. Stands in the usage event.
   */
  readonly id: string;
  readonly provider: string;
  /** `*` = every model. */
  readonly model: string;
  /** `default` unless the provider names another (`flex`, `priority`, `batch`). */
  readonly tier: string;
  /** What else the price depends on (an image's `hd/1024x1792`); null = holds whatever the variant. */
  readonly variant: string | null;
  /** Milliseconds since the epoch; inclusive, 0 = from the beginning. `validUntilMs` is exclusive, null = still valid. */
  readonly validFromMs: number;
  readonly validUntilMs: number | null;
  /** Null = all day. */
  readonly dailyWindow: DailyWindow | null;
  readonly unitPrices: UnitPrices;
  /** Ascending. */
  readonly steps: readonly PriceStep[];
  /**
   * What else the provider charges for every call and what is not metered (`requests_kcount`): where there is such a
   * charge, tokens alone do not tell the cost, and the row prices no call.
   */
  readonly unmeteredCharges: readonly string[];
  /** What else it charges when a call uses it (`web_searches_kcount`); not part of a cost worked out with this row. */
  readonly excludedCharges: readonly string[];
  readonly source: string;
}

export interface RatingRequest {
  readonly provider: string;
  /** The served model where it is known, else the requested one. */
  readonly model: string | null;
  /** The served tier as the provider reports it; null means the standard tier. */
  readonly serviceTier: string | null;
  /**
   * What the price of some models depends on besides: an image's `<quality>/<size>` (`standard/1024x1024`), or
   * `web_search_preview` where a call used that tool. Null where the call has none.
   */
  readonly variant: string | null;
  readonly atMs: number;
  readonly quantities: Quantities;
}

export interface Rating {
  readonly pricing: Extract<PricingState, "priced" | "unpriced">;
  readonly costPicos: Picos | null;
  readonly priceRowId: string | null;
  /** For people: why a call is unpriced (`no price for model "x"`). */
  readonly reason: string | null;
}

export interface PriceBook {
  /**
   * Whether any call of the model could be priced: false when it has no row, or one that prices no call. The tier is not
   * asked for, because the provider decides which one serves.
   */
  hasPrice(request: Pick<RatingRequest, "provider" | "model" | "atMs">): boolean;
  /** What the call costs by the row valid at that instant; `unpriced` when no row or no price of a used class is known. */
  rate(request: RatingRequest): Rating;
  /** The row that `rate` would use. */
  find(request: Omit<RatingRequest, "quantities">): PriceRow | undefined;
  /**
   * The rows that calls of the model can be charged by at that instant, on every tier and in every variant: which of them
   * will, only the answer tells. Empty where it has none.
   */
  candidates(request: Pick<RatingRequest, "provider" | "model" | "atMs">): readonly PriceRow[];
  /** How much a call of the model can take and give, as far as that is known. */
  limits(request: Pick<RatingRequest, "provider" | "model">): ModelLimits;
  /** The tier that a name means at the provider: `auto`, null and its own words for it are all `default`. */
  tierOf(provider: string, serviceTier: string | null): string;
  /**
   * The provider whose prices hold at a base URL (`https://api.groq.com/openai/v1` → `groq`); undefined when none is
   * known. For accounts whose provider is only a protocol.
   */
  providerAt(baseUrl: string): string | undefined;
  rows(): readonly PriceRow[];
  /** The providers whose prices are listed, free ones among them. */
  providers(): readonly string[];
}
