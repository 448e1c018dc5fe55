import { STANDARD_TIER } from "./listed-rows.ts";
import type { PriceRow, UnitPrices } from "./price-book.ts";
import { ALL_BASIS_POINTS, isModelMeant, type PriceOverride } from "./price-override.ts";

/** What an override is looked up by. */
export interface OverrideQuery {
  readonly provider: string;
  readonly model: string;
  /** The listed model that the name means: an override of it holds for all its names. */
  readonly listedModel: string | undefined;
  readonly tier: string;
  readonly variant: string | null;
  readonly atMs: number;
}

interface Entry {
  readonly override: PriceOverride;
  /** Undefined for a discount. */
  readonly row: PriceRow | undefined;
  /** Discounted rows by what they are a discount on; as many as there are listed rows, at most. */
  readonly discounted: Map<PriceRow, PriceRow>;
}

/** Overrides, found by name without a look at all of them. Made anew when one changes. */
export class OverrideIndex {
  /** By `<provider> <name>`, lower case. */
  readonly #named = new Map<string, Entry[]>();
  /** By provider; the longest beginning of a name first. */
  readonly #patterns = new Map<string, Entry[]>();
  readonly #rows: PriceRow[] = [];

  constructor(overrides: readonly PriceOverride[]) {
    for (const override of overrides) {
      const row = rowOf(override);
      if (row !== undefined) this.#rows.push(row);
      const entry: Entry = { override, row, discounted: new Map() };
      if (override.model.endsWith("*")) push(this.#patterns, override.provider, entry);
      else push(this.#named, keyOf(override.provider, override.model), entry);
    }
    for (const entries of this.#patterns.values()) {
      entries.sort((a, b) => b.override.model.length - a.override.model.length);
    }
  }

  /** The team's own row; the row of the very variant before one that holds for any, a name before a pattern. */
  find(query: OverrideQuery): PriceRow | undefined {
    return this.#search(query, (entry) => entry.row !== undefined)?.row;
  }

  /** The listed row, less the discount that holds for it. */
  discount(row: PriceRow, query: OverrideQuery): PriceRow {
    const entry = this.#search(query, (one) => one.row === undefined);
    if (entry === undefined) return row;
    let discounted = entry.discounted.get(row);
    if (discounted === undefined) {
      discounted = discountedRow(row, entry.override);
      entry.discounted.set(row, discounted);
    }
    return discounted;
  }

  /** Whether the team has a price of its own for the model on any tier. */
  hasPrice(query: Omit<OverrideQuery, "tier" | "variant">): boolean {
    const { provider, model, listedModel, atMs } = query;
    const isPrice = ({ row, override }: Entry) => row !== undefined && holdsAt(override, atMs);
    return (
      this.#named.get(keyOf(provider, model))?.some(isPrice) === true ||
      (listedModel !== undefined &&
        this.#named.get(keyOf(provider, listedModel))?.some(isPrice) === true) ||
      this.#patterns
        .get(provider)
        ?.some((entry) => isModelMeant(entry.override, model) && isPrice(entry)) === true
    );
  }

  /** Every override of a model, whether it holds or not. */
  overridesOf(
    provider: string,
    model: string,
    listedModel: string = model,
  ): readonly PriceOverride[] {
    const named = this.#named.get(keyOf(provider, model)) ?? [];
    const listed = this.#named.get(keyOf(provider, listedModel)) ?? [];
    const meant = (this.#patterns.get(provider) ?? []).filter(({ override }) =>
      isModelMeant(override, model),
    );
    return [...named, ...listed, ...meant].map(({ override }) => override);
  }

  rows(): readonly PriceRow[] {
    return this.#rows;
  }

  #search(query: OverrideQuery, isKind: (entry: Entry) => boolean): Entry | undefined {
    const { provider, model, listedModel } = query;
    const named = best(this.#named.get(keyOf(provider, model)), query, isKind);
    if (named !== undefined) return named;
    if (listedModel !== undefined) {
      const listed = best(this.#named.get(keyOf(provider, listedModel)), query, isKind);
      if (listed !== undefined) return listed;
    }
    const isMeant = (entry: Entry) => isKind(entry) && isModelMeant(entry.override, model);
    return best(this.#patterns.get(provider), query, isMeant);
  }
}

/** The first of those that hold, but one of the very variant before one for any. */
function best(
  entries: readonly Entry[] | undefined,
  query: OverrideQuery,
  isKind: (entry: Entry) => boolean,
): Entry | undefined {
  let found: Entry | undefined;
  for (const entry of entries ?? []) {
    const { tier, variant } = entry.override;
    if (!isKind(entry) || (tier !== null && tier !== query.tier)) continue;
    if (variant !== null && variant !== query.variant) continue;
    if (!holdsAt(entry.override, query.atMs)) continue;
    if (variant !== null) return entry;
    found ??= entry;
  }
  return found;
}

function holdsAt({ validFromMs, validUntilMs }: PriceOverride, atMs: number): boolean {
  return atMs >= validFromMs && (validUntilMs === null || atMs < validUntilMs);
}

function push(map: Map<string, Entry[]>, key: string, entry: Entry): void {
  const entries = map.get(key);
  if (entries === undefined) map.set(key, [entry]);
  else entries.push(entry);
}

function keyOf(provider: string, model: string): string {
  return `${provider} ${model.toLowerCase()}`;
}

function rowOf(override: PriceOverride): PriceRow | undefined {
  const { id, provider, model, variant, unitPrices, validFromMs, validUntilMs } = override;
  if (unitPrices === null) return undefined;
  const tier = override.tier ?? STANDARD_TIER;
  const name = variant === null ? model : `${model}[${variant}]`;
  return {
    id: `${id}:${provider}/${name}/${tier}`,
    provider,
    model,
    tier,
    variant,
    validFromMs,
    validUntilMs,
    dailyWindow: null,
    unitPrices,
    steps: [],
    unmeteredCharges: [],
    excludedCharges: [],
    source: `price override ${id}`,
  };
}

function discountedRow(row: PriceRow, override: PriceOverride): PriceRow {
  const basisPoints = override.discountBasisPoints ?? 0;
  const reduce = (prices: UnitPrices): UnitPrices =>
    Object.fromEntries(
      Object.entries(prices).map(([name, price]) => [name, lessDiscount(price, basisPoints)]),
    );
  return {
    ...row,
    id: `${override.id}:${row.id}-${basisPoints}bp`,
    unitPrices: reduce(row.unitPrices),
    steps: row.steps.map((step) => ({ ...step, unitPrices: reduce(step.unitPrices) })),
    source: `${row.source}; less price override ${override.id}`,
  };
}

/** Rounded up to a whole pico, as listed prices are: a discount never gives away more than was agreed. */
function lessDiscount(price: bigint, basisPoints: number): bigint {
  const all = BigInt(ALL_BASIS_POINTS);
  return (price * (all - BigInt(basisPoints)) + all - 1n) / all;
}
