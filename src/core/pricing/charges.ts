import { exactPicos, leanPicos, sumOf, timesOf, type LeanPicos } from "../money/lean-picos.ts";
import { picos, type Picos } from "../money/picos.ts";
import { totalInputTokens, usedClasses } from "../usage/quantities.ts";
import type { Quantities, QuantityClass } from "../usage/quantities.ts";
import type { PriceRow, UnitPrices } from "./price-book.ts";

/** What one class of a call costs. */
export interface ChargeLine {
  readonly quantityClass: QuantityClass;
  /** In the class's own unit: tokens, milliseconds, characters, images, calls. */
  readonly count: number;
  /** The class whose price is charged: its own, or the one it falls back to. */
  readonly pricedAs: QuantityClass;
  readonly picosPerUnit: bigint;
  readonly amountPicos: Picos;
}

interface Unpriced {
  readonly isPriced: false;
  readonly reason: string;
}

export type Cost = { readonly isPriced: true; readonly costPicos: Picos } | Unpriced;

export type Charges =
  | { readonly isPriced: true; readonly costPicos: Picos; readonly lines: readonly ChargeLine[] }
  | Unpriced;

/**
 * The price of a class that has none of its own, where the providers' published rule says so: reasoning is charged as
 * output; input read from or written to a cache is charged as input where no discount or surcharge is published;
 * images in a prompt are metered in tokens and charged as text. Audio and generated images are never charged as text:
 * they cost many times as much, so without a price of their own they are unpriced. So is input that is kept in a cache
 * for an hour: it costs more than what is kept for minutes.
 */
const FALLBACKS: Readonly<Partial<Record<QuantityClass, QuantityClass>>> = {
  cachedInput: "input",
  cacheWriteInput: "input",
  cachedAudioInput: "audioInput",
  imageInput: "input",
  cachedImageInput: "imageInput",
  reasoningOutput: "output",
};

/** What a call costs by a row: exact, unrounded. A class that was not used needs no price. */
export function costOf(row: PriceRow, quantities: Quantities): Cost {
  if (row.unmeteredCharges.length > 0) {
    const charges = row.unmeteredCharges.join(", ");
    return unpriced(`${row.id} also charges every call by ${charges}, which is not metered`);
  }
  const unitPrices = unitPricesAt(row, totalInputTokens(quantities));
  let cost: LeanPicos = 0;
  // Along what the call has rather than along all classes: it is reckoned for every call.
  for (const name in quantities) {
    const quantityClass = name as QuantityClass;
    const count = quantities[quantityClass] ?? 0;
    if (count === 0) continue;
    const pricedAs = classPriced(unitPrices, quantityClass);
    const picosPerUnit = pricedAs && unitPrices[pricedAs];
    if (picosPerUnit === undefined) {
      return unpriced(`${row.id} has no price for ${quantityClass}`);
    }
    cost = sumOf(cost, timesOf(leanPicos(picosPerUnit), count));
  }
  return { isPriced: true, costPicos: exactPicos(cost) };
}

/** The same with what it is made of, in the order of the call's quantities. */
export function chargesOf(row: PriceRow, quantities: Quantities): Charges {
  const cost = costOf(row, quantities);
  if (!cost.isPriced) return cost;
  const unitPrices = unitPricesAt(row, totalInputTokens(quantities));
  const lines: ChargeLine[] = [];
  for (const quantityClass of usedClasses(quantities)) {
    const count = quantities[quantityClass] ?? 0;
    const pricedAs = classPriced(unitPrices, quantityClass) ?? quantityClass;
    const picosPerUnit = unitPrices[pricedAs] ?? 0n;
    const amountPicos = picos(picosPerUnit * BigInt(count));
    lines.push({ quantityClass, count, pricedAs, picosPerUnit, amountPicos });
  }
  return { ...cost, lines };
}

/** What one of a class costs in a call of so many input tokens, its fallbacks included; undefined: it has no price. */
export function priceAt(
  row: PriceRow,
  quantityClass: QuantityClass,
  inputTokens: number,
): bigint | undefined {
  const unitPrices = unitPricesAt(row, inputTokens);
  const pricedAs = classPriced(unitPrices, quantityClass);
  return pricedAs && unitPrices[pricedAs];
}

/** The class itself, or the nearest one down its fallbacks that has a price. */
export function classPriced(prices: UnitPrices, wanted: QuantityClass): QuantityClass | undefined {
  let name: QuantityClass | undefined = wanted;
  while (name !== undefined && prices[name] === undefined) name = FALLBACKS[name];
  return name;
}

function unpriced(reason: string): Unpriced {
  return { isPriced: false, reason };
}

/** The step that the call's input reaches; every token of the call is charged at its prices. */
function unitPricesAt(row: PriceRow, inputTokens: number): UnitPrices {
  if (row.steps.length === 0) return row.unitPrices;
  const step = row.steps.findLast(({ fromInputTokens }) => inputTokens >= fromInputTokens);
  return step?.unitPrices ?? row.unitPrices;
}
