import { parseUsd } from "../src/core/money/picos.ts";
import type {
  ListedModel,
  ListedPrices,
  ListedProvider,
  ListedUnits,
} from "../src/core/pricing/price-list.ts";
/** Lays the overlay over the converted data. Pure; a name in the overlay that the data does not have stops it. */
import { publishedUnitOf } from "../src/core/pricing/published-units.ts";
import { TOKEN_CLASSES, type QuantityClass } from "../src/core/usage/quantities.ts";
import { KNOWN_LIMITS } from "./model-limits.ts";
import {
  ADDED_MODELS,
  MENDED_MODELS,
  MODEL_VARIANTS,
  OPENAI_CODE_SESSION,
  OPENAI_LONG_CONTEXT,
  TIER_PRICES,
  TIER_SHARES,
  type AddedModel,
  type TierShare,
  type UsdByClass,
} from "./price-overlay.ts";

const TOKENS: ReadonlySet<string> = new Set(TOKEN_CLASSES);
const CACHED: readonly QuantityClass[] = ["cachedInput", "cachedAudioInput", "cachedImageInput"];

export function applyPriceOverlay(
  providers: readonly ListedProvider[],
  dataSource: string,
): ListedProvider[] {
  checkNames(providers);
  return providers.map((provider) => {
    const added = ADDED_MODELS.filter((model) => model.provider === provider.name).map(listed);
    const replaced = new Set(added.map(([id]) => id));
    const kept = provider.models.filter(([id]) => !replaced.has(id));
    const known = kept.map((model) => mend(provider.name, model, dataSource));
    const models = [...added, ...known].map((model) => withTiers(provider.name, model));
    return { ...provider, models };
  });
}

function listed({ model, match, prices, everyCall, source }: AddedModel): ListedModel {
  const entries = prices.map(({ variant, usd }) => ({
    ...(variant !== undefined && { variant }),
    source,
    units: unitsOf(usd),
    ...(everyCall && { everyCall }),
  }));
  return [model, match, entries];
}

function mend(
  provider: string,
  [id, match, prices, ...limits]: ListedModel,
  dataSource: string,
): ListedModel {
  let mended = prices;
  for (const { usd, source } of MENDED_MODELS.filter((one) => isOf(one, provider, [one.model], id)))
    mended = mended.map((price) => patched(price, unitsOf(usd), `${dataSource}; ${source}`));
  if (provider === "openai") {
    const session = unitsOf({ codeSessions: OPENAI_CODE_SESSION.usd });
    const source = `${dataSource}; ${OPENAI_CODE_SESSION.source}`;
    mended = mended.map((price) =>
      price.units?.fileSearches === undefined ? price : patched(price, session, source),
    );
    mended = mended.map(withLongContext);
  }
  const variants = MODEL_VARIANTS.filter((one) => isOf(one, provider, one.models, id)).flatMap(
    ({ variant, usd, source }) =>
      mended.map((price) => ({
        variant,
        ...patched(price, unitsOf(usd), `${dataSource}; ${source}`),
      })),
  );
  return [id, match, [...mended, ...variants], ...limits];
}

function withTiers(provider: string, [id, match, prices, ...limits]: ListedModel): ListedModel {
  const tiers = TIER_SHARES.filter(
    (one) => one.models === "*" || isOf(one, provider, one.models, id),
  )
    .filter((one) => one.provider === provider)
    .flatMap((share) =>
      prices.flatMap((price) => {
        const entry = shareOf(price, share, `${provider}/${id}`);
        return entry === undefined ? [] : [entry];
      }),
    );
  const own = TIER_PRICES.filter((one) => one.provider === provider).flatMap((one) => {
    const figures = one.models[id];
    if (figures === undefined) return [];
    const [input, cachedInput, output] = figures;
    const units = unitsOf({ input, ...(cachedInput !== null && { cachedInput }), output });
    return prices
      .filter((price) => price.untilMs === undefined)
      .map(({ steps: _steps, units: standard = {}, ...price }) => ({
        ...price,
        tier: one.tier,
        source: one.source,
        units: { ...toolsOf(standard), ...units },
      }));
  });
  return [id, match, [...prices, ...tiers, ...own], ...limits];
}

/** Undefined for a price that has no tokens to share: what is not counted in tokens is not in these tiers. */
function shareOf(price: ListedPrices, share: TierShare, context: string): ListedPrices | undefined {
  const { units, steps, ...rest } = price;
  if (units === undefined || !Object.keys(units).some((name) => TOKENS.has(name))) return undefined;
  const scaled = (of: ListedUnits): ListedUnits => scale(of, share, context);
  return {
    ...rest,
    tier: share.tier,
    source: share.source,
    units: scaled(units),
    ...(steps &&
      share.hasSteps && { steps: steps.map(([from, of]) => [from, scaled(of)] as const) }),
  };
}

function scale(units: ListedUnits, share: TierShare, context: string): ListedUnits {
  const entries = Object.entries(units) as [QuantityClass, number][];
  return Object.fromEntries(
    entries
      .filter(([name]) => share.isCacheDiscounted || !CACHED.includes(name))
      .map(([name, price]) => {
        if (!TOKENS.has(name)) return [name, price];
        const scaled = (price * share.numerator) / share.denominator;
        if (!Number.isSafeInteger(scaled)) {
          throw new Error(`${context} ${name}: no whole picos in tier ${share.tier}`);
        }
        return [name, scaled];
      }),
  );
}

function patched(price: ListedPrices, units: ListedUnits, source: string): ListedPrices {
  return {
    ...price,
    source,
    units: { ...price.units, ...units },
    ...(price.steps && {
      steps: price.steps.map(([from, of]) => [from, { ...of, ...units }] as const),
    }),
  };
}

function withLongContext(price: ListedPrices): ListedPrices {
  if (price.steps === undefined) return price;
  const { listed: early, first } = OPENAI_LONG_CONTEXT;
  return {
    ...price,
    steps: price.steps.map(([from, of]) => [from === early ? first : from, of] as const),
  };
}

function toolsOf(units: ListedUnits): ListedUnits {
  return Object.fromEntries(Object.entries(units).filter(([name]) => !TOKENS.has(name)));
}

function unitsOf(usd: UsdByClass): ListedUnits {
  return Object.fromEntries(
    Object.entries(usd).map(([name, text]) => {
      const picos = parseUsd(text);
      const size = BigInt(publishedUnitOf(name as QuantityClass).size);
      if (picos === undefined || picos % size !== 0n)
        throw new Error(`${name}: not a price: ${text}`);
      return [name, Number(picos / size)];
    }),
  );
}

function isOf(
  entry: { readonly provider: string },
  provider: string,
  models: readonly string[],
  id: string,
): boolean {
  return entry.provider === provider && models.includes(id);
}

/** An update of the data that renames a model must not silently drop what the overlay says of it. */
function checkNames(providers: readonly ListedProvider[]): void {
  const known = new Set(
    providers.flatMap(({ name, models }) => models.map(([id]) => `${name}/${id}`)),
  );
  const named = [
    ...MENDED_MODELS.map(({ provider, model }) => `${provider}/${model}`),
    ...KNOWN_LIMITS.flatMap(({ provider, models }) => models.map((id) => `${provider}/${id}`)),
    ...MODEL_VARIANTS.flatMap(({ provider, models }) => models.map((id) => `${provider}/${id}`)),
    ...TIER_SHARES.flatMap(({ provider, models }) =>
      models === "*" ? [] : models.map((id) => `${provider}/${id}`),
    ),
    ...TIER_PRICES.flatMap(({ provider, models }) =>
      Object.keys(models).map((id) => `${provider}/${id}`),
    ),
  ];
  const missing = named.filter((name) => !known.has(name));
  if (missing.length > 0) throw new Error(`the data has no ${missing.join(", ")}`);
}
