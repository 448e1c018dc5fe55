import { ZERO_PICOS, picos, type Picos } from "../money/picos.ts";
import type { UsageEvent } from "../usage/usage-event.ts";
import type { PriceBook } from "./price-book.ts";

/** What an event costs now: by its last correction, else as it was written. */
export interface CurrentCost {
  readonly pricing: "priced" | "unpriced";
  readonly costPicos: Picos | null;
  readonly priceRowId: string | null;
}

export type Repricing =
  | {
      readonly kind: "corrected";
      readonly differencePicos: Picos;
      readonly costPicos: Picos;
      readonly priceRowId: string;
    }
  | { readonly kind: "unchanged" }
  /** No price of today's book fits it: what it cost stays. */
  | { readonly kind: "without_price" }
  /** Free by definition, not metered, or of unknown usage: there is nothing to price. */
  | { readonly kind: "not_priceable" };

/**
 * What the price book of today says of an event of the past: with the row that was valid when its call began. Only a
 * difference in cost is a correction; another row at the same price is none.
 */
export function repriceEvent(
  book: Pick<PriceBook, "rate">,
  event: UsageEvent,
  { pricedAs, current }: { readonly pricedAs: string; readonly current: CurrentCost },
): Repricing {
  if (!isPriceable(event)) return { kind: "not_priceable" };
  const rating = book.rate({
    provider: pricedAs,
    model: event.servedModel ?? event.sentModel ?? event.requestedModel,
    serviceTier: event.serviceTier,
    variant: event.variant,
    atMs: event.startedAtMs,
    quantities: event.quantities,
  });
  const { costPicos, priceRowId } = rating;
  if (costPicos === null || priceRowId === null) return { kind: "without_price" };
  if (current.pricing === "priced" && current.costPicos === costPicos) return { kind: "unchanged" };
  const differencePicos = picos(costPicos - (current.costPicos ?? ZERO_PICOS));
  return { kind: "corrected", differencePicos, costPicos, priceRowId };
}

/** A cost without a row is an explicit zero: what is free, or repeats the usage of an earlier call. */
function isPriceable({ usageSource, pricing, priceRowId }: UsageEvent): boolean {
  const isUsageKnown = usageSource === "reported" || usageSource === "estimated";
  return isUsageKnown && (pricing === "unpriced" || (pricing === "priced" && priceRowId !== null));
}
