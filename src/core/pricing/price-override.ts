import type { PriceOverrideId } from "../ids/ids.ts";
import type { UnitPrices } from "./price-book.ts";

/** A team's own price, or discount, in place of a listed one: what it has agreed with its provider. */
export interface PriceOverride {
  readonly id: PriceOverrideId;
  readonly provider: string;
  /** A model's name, or the beginning of names with `*` at the end. */
  readonly model: string;
  /** A price is of one tier; null, on a discount alone: of every tier. */
  readonly tier: string | null;
  /** Null: whatever the variant. */
  readonly variant: string | null;
  /** The whole row: a class that is absent has no price. Null where it is a discount. */
  readonly unitPrices: UnitPrices | null;
  /** Off the listed price, in hundredths of a percent: 10 % = 1000. Null where it is a price. */
  readonly discountBasisPoints: number | null;
  /** Inclusive, and exclusive; null = until further notice. */
  readonly validFromMs: number;
  readonly validUntilMs: number | null;
}

export const ALL_BASIS_POINTS = 10_000;

/** Whether the name is meant, in upper or lower case. */
export function isModelMeant(override: Pick<PriceOverride, "model">, model: string): boolean {
  const wanted = override.model.toLowerCase();
  const name = model.toLowerCase();
  return wanted.endsWith("*") ? name.startsWith(wanted.slice(0, -1)) : name === wanted;
}

/**
 * The override that the candidate would share an instant with. Two of the same provider, model, tier and variant may
 * not: an instant belongs to exactly one. (Where a name and a pattern both mean a model, the more exact one holds.)
 */
export function findOverlap<Override extends PriceOverride>(
  overrides: readonly Override[],
  candidate: PriceOverride,
): Override | undefined {
  const key = overrideKey(candidate);
  return overrides.find((one) => overrideKey(one) === key && shareAnInstant(one, candidate));
}

function overrideKey(one: PriceOverride): string {
  const kind = one.unitPrices === null ? "discount" : "price";
  return JSON.stringify([kind, one.provider, one.model.toLowerCase(), one.tier, one.variant]);
}

function shareAnInstant(a: PriceOverride, b: PriceOverride): boolean {
  const [aUntil, bUntil] = [a.validUntilMs ?? Infinity, b.validUntilMs ?? Infinity];
  // One that ends where it begins never holds.
  return Math.max(a.validFromMs, b.validFromMs) < Math.min(aUntil, bUntil);
}
