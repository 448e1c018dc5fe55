import type { OverridablePriceBook } from "../core/pricing/overridable-price-book.ts";
import type { Repositories } from "./store.ts";

/**
 * Brings what the store has of overrides into the price book. The change log is read first: what is listed then is at
 * least as new as that, so of two that load at the same time the one with the older rows never comes last.
 */
export async function loadPriceOverrides({
  store,
  priceBook,
}: {
  readonly store: Pick<Repositories, "changes" | "priceOverrides">;
  readonly priceBook: Pick<OverridablePriceBook, "replaceOverrides">;
}): Promise<void> {
  const sequence = await store.changes.latestSequence();
  priceBook.replaceOverrides(await store.priceOverrides.listAll(), sequence);
}
