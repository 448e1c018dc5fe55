import { QUANTITY_CLASSES } from "../usage/quantities.ts";
import type { DailyWindow, PriceRow, UnitPrices } from "./price-book.ts";
import type { ListedModel, ListedPrices, ListedUnits } from "./price-list.ts";

/** The tier of a price that names none. */
export const STANDARD_TIER = "default";
/** How an undated row's first day is written: the beginning of time as computers have it. */
const BEGINNING = "1970-01-01";

/** A listed model's rows, in the list's order. */
export function rowsOfModel(provider: string, listed: ListedModel, source: string): PriceRow[] {
  const [model, , prices] = listed;
  return prices.map((price) => {
    const dailyWindow = price.daily && { fromSecond: price.daily[0], untilSecond: price.daily[1] };
    const { tier = STANDARD_TIER, variant = null } = price;
    const name = variant === null ? model : `${model}[${variant}]`;
    const validFrom = (price.from?.[0] ?? BEGINNING) + formatWindow(dailyWindow);
    return {
      id: `${provider}/${name}/${tier}@${validFrom}`,
      provider,
      model,
      tier,
      variant,
      validFromMs: price.from?.[1] ?? 0,
      validUntilMs: price.untilMs ?? null,
      dailyWindow: dailyWindow ?? null,
      unitPrices: price.free ? FREE : unitPricesOf(price.units),
      steps: stepsOf(price),
      unmeteredCharges: price.everyCall ?? [],
      excludedCharges: price.onUse ?? [],
      source: price.source ?? source,
    };
  });
}

/** The row of a provider that charges nothing for anything. */
export function freeRow(provider: string): PriceRow {
  return {
    id: `${provider}/*/${STANDARD_TIER}@${BEGINNING}`,
    provider,
    model: "*",
    tier: STANDARD_TIER,
    variant: null,
    validFromMs: 0,
    validUntilMs: null,
    dailyWindow: null,
    unitPrices: FREE,
    steps: [],
    unmeteredCharges: [],
    excludedCharges: [],
    source: "free by definition",
  };
}

/** Whether the row holds at an instant, daily window included. */
export function isValidAt(row: PriceRow, atMs: number): boolean {
  if (atMs < row.validFromMs || (row.validUntilMs !== null && atMs >= row.validUntilMs)) {
    return false;
  }
  if (row.dailyWindow === null) return true;
  const { fromSecond, untilSecond } = row.dailyWindow;
  const second = Math.floor(atMs / 1000) % SECONDS_PER_DAY;
  return fromSecond <= untilSecond
    ? second >= fromSecond && second < untilSecond
    : second >= fromSecond || second < untilSecond;
}

const SECONDS_PER_DAY = 86_400;
const FREE: UnitPrices = Object.freeze(
  Object.fromEntries(QUANTITY_CLASSES.map((name) => [name, 0n])),
);

function stepsOf(price: ListedPrices): PriceRow["steps"] {
  return (price.steps ?? []).map(([fromInputTokens, units]) => ({
    fromInputTokens,
    unitPrices: unitPricesOf(units),
  }));
}

function unitPricesOf(units: ListedUnits = {}): UnitPrices {
  return Object.fromEntries(Object.entries(units).map(([name, price]) => [name, BigInt(price)]));
}

function formatWindow(window: DailyWindow | undefined): string {
  return window === undefined
    ? ""
    : `T${formatSecond(window.fromSecond)}-${formatSecond(window.untilSecond)}Z`;
}

function formatSecond(second: number): string {
  const hours = Math.floor(second / 3600);
  const minutes = Math.floor((second % 3600) / 60);
  return `${String(hours).padStart(2, "0")}:${String(minutes).padStart(2, "0")}`;
}
