import type { QuantityClass } from "../../usage/quantities.ts";
import { priceAt } from "../charges.ts";
import type { PriceBook } from "../price-book.ts";
import { formatUnitPrice, publishedUnitOf } from "../published-units.ts";
import type { PublishedPrice } from "./published-price.ts";

interface PriceDifference {
  readonly provider: string;
  /** As the other table writes it. */
  readonly name: string;
  readonly tier: string;
  readonly fromInputTokens: number;
  readonly quantityClass: QuantityClass;
  /** Null: no price here. */
  readonly oursUsd: string | null;
  readonly theirsUsd: string;
  /** `million tokens` */
  readonly per: string;
  readonly priceRowId: string;
}

export interface PriceComparison {
  /** Prices that both have. */
  readonly compared: number;
  readonly differences: readonly PriceDifference[];
  /** Of the providers that the other table has: our models that it does not name. */
  readonly onlyHere: readonly string[];
  /** Its models, and tiers of models, that we have no row for. */
  readonly onlyThere: readonly string[];
}

/** Our table beside another at one instant; a class is compared where the other has a price for it. */
export function comparePrices(
  book: Pick<PriceBook, "find" | "rows">,
  published: readonly PublishedPrice[],
  atMs: number,
): PriceComparison {
  const differences: PriceDifference[] = [];
  const onlyThere: string[] = [];
  const seen = new Set<string>();
  let compared = 0;
  for (const one of published) {
    const { provider, model, tier, variant } = one;
    const row = book.find({ provider, model, serviceTier: tier, variant, atMs });
    if (row === undefined) {
      onlyThere.push(tier === "default" ? label(one) : `${label(one)} (${tier})`);
      continue;
    }
    seen.add(`${row.provider}/${row.model}`);
    for (const [name, theirs] of Object.entries(one.picosPerUnit) as [QuantityClass, bigint][]) {
      compared += 1;
      const ours = priceAt(row, name, one.fromInputTokens);
      if (ours === theirs) continue;
      differences.push({
        provider,
        name: one.name,
        tier,
        fromInputTokens: one.fromInputTokens,
        quantityClass: name,
        oursUsd: ours === undefined ? null : formatUnitPrice(name, ours),
        theirsUsd: formatUnitPrice(name, theirs),
        per: publishedUnitOf(name).name,
        priceRowId: row.id,
      });
    }
  }
  const providers = new Set(published.map(({ provider }) => provider));
  const ours = book
    .rows()
    .filter(({ provider, unitPrices }) => providers.has(provider) && hasPrice(unitPrices))
    .map(({ provider, model }) => `${provider}/${model}`);
  return {
    compared,
    differences,
    onlyHere: [...new Set(ours)].filter((name) => !seen.has(name)),
    onlyThere: [...new Set(onlyThere)],
  };
}

function label({ provider, name }: PublishedPrice): string {
  return name.startsWith(`${provider}/`) ? name : `${provider}/${name}`;
}

function hasPrice(unitPrices: Readonly<Partial<Record<QuantityClass, bigint>>>): boolean {
  return Object.keys(unitPrices).length > 0;
}
