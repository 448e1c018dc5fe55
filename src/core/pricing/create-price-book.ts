import { CandidateRows, type CandidateQuery } from "./candidate-rows.ts";
import { costOf } from "./charges.ts";
import { STANDARD_TIER, freeRow, isValidAt } from "./listed-rows.ts";
import { createModelIndex, type ModelIndex } from "./model-index.ts";
import type { OverridablePriceBook } from "./overridable-price-book.ts";
import { OverrideIndex, type OverrideQuery } from "./override-index.ts";
import type { PriceRow, Rating, RatingRequest } from "./price-book.ts";
import type { PriceList } from "./price-list.ts";

export interface PriceBookOptions {
  /** Names of providers that charge nothing for any model (the simulator). */
  readonly freeProviders?: readonly string[];
}

/** The words for the standard tier; `auto` is what a request asks for, and no tier of its own. */
const STANDARD_TIERS = new Set(["", "default", "standard", "auto"]);

/** A price book over a price list. Cheap to make: a row is built when a call first needs it. */
export function createPriceBook(
  list: PriceList,
  options: PriceBookOptions = {},
): OverridablePriceBook {
  const freeRows = new Map((options.freeProviders ?? []).map((name) => [name, freeRow(name)]));
  const freeAlone = new Map([...freeRows].map(([name, row]) => [name, [row]]));
  const models = createModelIndex(list);

  const tierOf = (provider: string, serviceTier: string | null): string =>
    plainTier(models, provider, serviceTier);
  let overrides = new OverrideIndex([]);
  let overridesSequence = -1;

  function resolve(request: Omit<RatingRequest, "quantities">): PriceRow | string {
    const { provider, model, serviceTier, variant, atMs } = request;
    const free = freeRows.get(provider);
    if (free !== undefined) return free;
    if (model === null) return "the call names no model";
    const listed = models.find(provider, model);
    const tier = tierOf(provider, serviceTier);
    const listedModel = listed?.[0]?.model;
    const query = { provider, model, listedModel, tier, variant, atMs };
    const own = overrides.find(query);
    if (own !== undefined) return own;
    if (listed === undefined) {
      return models.hasProvider(provider)
        ? `no price for model ${quote(model)} at ${provider}`
        : `no prices for provider ${JSON.stringify(provider)}`;
    }
    const row = chooseRow(listed, query);
    return typeof row === "string" ? row : overrides.discount(row, query);
  }

  function find(request: Omit<RatingRequest, "quantities">): PriceRow | undefined {
    const row = resolve(request);
    return typeof row === "string" ? undefined : row;
  }

  const candidates = new CandidateRows({
    entriesOf: ({ provider, model }) => {
      const listed = models.find(provider, model) ?? [];
      return [...listed, ...overrides.overridesOf(provider, model, listed[0]?.model)];
    },
    find,
  });

  function rate(request: RatingRequest): Rating {
    const row = resolve(request);
    if (typeof row === "string") return unpriced(row);
    const cost = costOf(row, request.quantities);
    if (!cost.isPriced) return unpriced(cost.reason);
    return { pricing: "priced", costPicos: cost.costPicos, priceRowId: row.id, reason: null };
  }

  return {
    rate,
    find,
    hasPrice: (query) =>
      freeRows.has(query.provider) || hasOwnOrListedPrice(models, overrides, query),
    candidates: (query) => freeAlone.get(query.provider) ?? candidates.find(query),
    limits: ({ provider, model }) => (model === null ? {} : models.limits(provider, model)),
    tierOf,
    providerAt: (baseUrl) => models.providerAt(baseUrl),
    rows: () => [...freeRows.values(), ...models.rows(), ...overrides.rows()],
    providers: () => [...freeRows.keys(), ...list.providers.map(({ name }) => name)],
    replaceOverrides: (next, sequence) => {
      if (sequence < overridesSequence) return;
      overridesSequence = sequence;
      overrides = new OverrideIndex(next);
      candidates.forget();
    },
  };
}

function plainTier(models: ModelIndex, provider: string, serviceTier: string | null): string {
  const tier = (serviceTier ?? STANDARD_TIER).toLowerCase();
  const isStandard = STANDARD_TIERS.has(tier) || models.isStandardTier(provider, tier);
  return isStandard ? STANDARD_TIER : tier;
}

function hasOwnOrListedPrice(
  models: ModelIndex,
  overrides: OverrideIndex,
  { provider, model, atMs }: CandidateQuery,
): boolean {
  if (model === null) return false;
  const listed = models.find(provider, model);
  const listedModel = listed?.[0]?.model;
  return (
    overrides.hasPrice({ provider, model, listedModel, atMs }) ||
    listed?.some((row) => isValidAt(row, atMs) && pricesCalls(row)) === true
  );
}

/** The row that holds, or why there is none. */
function chooseRow(listed: readonly PriceRow[], query: OverrideQuery): PriceRow | string {
  const { provider, tier, variant, atMs } = query;
  let best: PriceRow | undefined;
  let hasTier = false;
  let hasVariant = false;
  for (const row of listed) {
    if (row.tier !== tier || !isOwnTier(row, provider)) continue;
    hasTier = true;
    if (row.variant !== null && row.variant !== variant) continue;
    hasVariant = true;
    // Of those that hold the last one counts, but the row of the very variant before one that holds for any.
    const isBetter = row.variant !== null || best === undefined || best.variant === null;
    if (isBetter && isValidAt(row, atMs)) best = row;
  }
  if (best !== undefined) return best;
  const what = `model ${quote(query.model)} at ${provider}`;
  if (!hasTier) {
    const tiers = listed.filter((row) => isOwnTier(row, provider)).map((row) => row.tier);
    return `no price for tier ${quote(tier)} of ${what}, ${only(tiers)}`;
  }
  if (hasVariant) return `no price for ${what} at that time`;
  const variants = listed.flatMap((row) => (row.tier === tier ? (row.variant ?? []) : []));
  return variant === null
    ? `${what} is priced by variant, ${only(variants)}, and the call has none`
    : `no price for variant ${quote(variant)} of ${what}, ${only(variants)}`;
}

/** `only for default, batch`: what there is, for whoever asked for something else. */
function only(names: readonly string[]): string {
  const known = [...new Set(names)];
  const shown = known.slice(0, MAX_NAMES_SHOWN);
  return `only for ${shown.join(", ")}${known.length > shown.length ? " and others" : ""}`;
}

const MAX_NAMES_SHOWN = 10;

function pricesCalls(row: PriceRow): boolean {
  return row.unmeteredCharges.length === 0 && Object.keys(row.unitPrices).length > 0;
}

/** A provider that takes over another's prices takes over the standard ones: its tiers are its own business. */
function isOwnTier(row: PriceRow, provider: string): boolean {
  return row.tier === STANDARD_TIER || row.provider === provider;
}

function unpriced(reason: string): Rating {
  return { pricing: "unpriced", costPicos: null, priceRowId: null, reason };
}

const MAX_QUOTED_CHARACTERS = 100;

/** Names come from callers: quoted, and cut where they run on. */
function quote(name: string): string {
  return JSON.stringify(name.slice(0, MAX_QUOTED_CHARACTERS));
}
