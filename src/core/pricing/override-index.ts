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

/** One provider's overrides. */
interface ProviderOverrides {
  /** By the model's name, lower case. */
  readonly named: Map<string, Entry[]>;
  /** The longest beginning of a name first. */
  readonly patterns: Entry[];
}

/** Overrides, found by name without a look at all of them. Made anew when one changes. */
export class OverrideIndex {
  readonly #byProvider = new Map<string, ProviderOverrides>();
  readonly #rows: PriceRow[] = [];

  constructor(overrides: readonly PriceOverride[]) {
    for (const override of overrides) {
      const row = rowOf(override);
      if (row !== undefined) this.#rows.push(row);
      this.#add({ override, row, discounted: new Map() });
    }
    for (const { patterns } of this.#byProvider.values()) {
      patterns.sort((a, b) => b.override.model.length - a.override.model.length);
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
    return this.#meant(provider, model, listedModel).some(isPrice);
  }

  /** Every override of a model, whether it holds or not. */
  overridesOf(
    provider: string,
    model: string,
    listedModel: string = model,
  ): readonly PriceOverride[] {
    return this.#meant(provider, model, listedModel).map(({ override }) => override);
  }

  rows(): readonly PriceRow[] {
    return this.#rows;
  }

  #add(entry: Entry): void {
    const { provider, model } = entry.override;
    let overrides = this.#byProvider.get(provider);
    if (overrides === undefined) {
      overrides = { named: new Map(), patterns: [] };
      this.#byProvider.set(provider, overrides);
    }
    const { named, patterns } = overrides;
    if (model.endsWith("*")) patterns.push(entry);
    else {
      const name = model.toLowerCase();
      const entries = named.get(name);
      if (entries === undefined) named.set(name, [entry]);
      else entries.push(entry);
    }
  }

  /** Of a call's overrides: those of the name it gives, of the listed one, and those whose beginning it has. */
  #search(query: OverrideQuery, isKind: (entry: Entry) => boolean): Entry | undefined {
    const { provider, model, listedModel } = query;
    // Most teams have no override at all.
    const overrides = this.#byProvider.get(provider);
    if (overrides === undefined) return undefined;
    const { named, patterns } = overrides;
    const own = best(named.get(model.toLowerCase()), query, isKind);
    if (own !== undefined) return own;
    if (listedModel !== undefined) {
      const listed = best(named.get(listedModel.toLowerCase()), query, isKind);
      if (listed !== undefined) return listed;
    }
    const isMeant = (entry: Entry) => isKind(entry) && isModelMeant(entry.override, model);
    return best(patterns, query, isMeant);
  }

  #meant(provider: string, model: string, listedModel: string | undefined): readonly Entry[] {
    const overrides = this.#byProvider.get(provider);
    if (overrides === undefined) return NO_ENTRIES;
    const { named, patterns } = overrides;
    return [
      ...(named.get(model.toLowerCase()) ?? NO_ENTRIES),
      ...(named.get((listedModel ?? model).toLowerCase()) ?? NO_ENTRIES),
      ...patterns.filter(({ override }) => isModelMeant(override, model)),
    ];
  }
}

const NO_ENTRIES: readonly Entry[] = [];

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
