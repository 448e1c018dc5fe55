import type { Picos } from "../money/picos.ts";
import type { Quantities, QuantityClass } from "../usage/quantities.ts";
import type { PricingState } from "../usage/usage-event.ts";

/** Picos per token, by class. A class that is absent has no price of its own; an explicit 0n is free. */
export type UnitPrices = Readonly<Partial<Record<QuantityClass, bigint>>>;

/** Prices that hold from a number of input tokens on (long-context steps); the whole call is charged at them. */
export interface PriceStep {
  readonly fromInputTokens: number;
  readonly unitPrices: UnitPrices;
}

/** One dated row: what one model costs at one provider on one service tier from a day on. */
export interface PriceRow {
  /** `<provider>/<model>/<tier>@<validFrom>`; stands in the usage event. */
  readonly id: string;
  readonly provider: string;
  readonly model: string;
  /** `default` unless the provider names another (`flex`, `priority`, `batch`). */
  readonly tier: string;
  /** Milliseconds since the epoch; inclusive. `validUntilMs` is exclusive, null = still valid. */
  readonly validFromMs: number;
  readonly validUntilMs: number | null;
  readonly unitPrices: UnitPrices;
  readonly steps: readonly PriceStep[];
  readonly source: string;
}

export interface RatingRequest {
  readonly provider: string;
  /** The served model where it is known, else the requested one. */
  readonly model: string | null;
  /** The served tier as the provider reports it; null means the standard tier. */
  readonly serviceTier: string | null;
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
  /** What the call costs by the row valid at that instant; `unpriced` when no row or no price of a used class is known. */
  rate(request: RatingRequest): Rating;
  /** The row that `rate` would use. */
  find(request: Omit<RatingRequest, "quantities">): PriceRow | undefined;
  rows(): readonly PriceRow[];
}
