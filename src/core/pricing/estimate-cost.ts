import type { Picos } from "../money/picos.ts";
import { QUANTITY_CLASSES } from "../usage/quantities.ts";
import { chargesOf } from "./charges.ts";
import type { ChargeLine } from "./charges.ts";
import { nearNames } from "./near-names.ts";
import type { PriceBook, PriceRow, RatingRequest } from "./price-book.ts";
import { formatUnitPrice, publishedUnitOf } from "./published-units.ts";

interface EstimateLine extends ChargeLine {
  /** Decimal string in USD for what `per` says: `"0.15"`. */
  readonly unitUsd: string;
  /** `million tokens`, `minute`, `image`. */
  readonly per: string;
}

export type Estimate =
  | {
      readonly isPriced: true;
      readonly row: PriceRow;
      readonly costPicos: Picos;
      readonly lines: readonly EstimateLine[];
    }
  | {
      readonly isPriced: false;
      /** The row that lacks a price; null when there is no row. */
      readonly row: PriceRow | null;
      readonly reason: string;
      /** Models of the provider whose names are near, the nearest first. */
      readonly suggestions: readonly string[];
    };

const MAX_SUGGESTIONS = 5;

/** What a call of these quantities costs, class by class; the same figure that `book.rate` gives. */
export function estimateCost(book: PriceBook, request: RatingRequest): Estimate {
  const row = book.find(request);
  if (row === undefined) {
    const reason = book.rate(request).reason ?? "no price";
    return { isPriced: false, row: null, reason, suggestions: suggest(book, request) };
  }
  const charges = chargesOf(row, request.quantities);
  if (!charges.isPriced) {
    return { isPriced: false, row, reason: charges.reason, suggestions: [] };
  }
  const inOrder = charges.lines.toSorted(
    (a, b) => QUANTITY_CLASSES.indexOf(a.quantityClass) - QUANTITY_CLASSES.indexOf(b.quantityClass),
  );
  const lines = inOrder.map((line) => ({
    ...line,
    unitUsd: formatUnitPrice(line.quantityClass, line.picosPerUnit),
    per: publishedUnitOf(line.quantityClass).name,
  }));
  return { isPriced: true, row, costPicos: charges.costPicos, lines };
}

/** None for a model that has a price: then it is the tier or the variant that has none. */
function suggest(book: PriceBook, request: RatingRequest): readonly string[] {
  const { provider, model } = request;
  if (model === null || book.hasPrice(request)) return [];
  const names = book.rows().flatMap((row) => (row.provider === provider ? [row.model] : []));
  return nearNames(model, names).slice(0, MAX_SUGGESTIONS);
}
