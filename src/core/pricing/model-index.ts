import { rowsOfModel } from "./listed-rows.ts";
import { createModelMatcher, exactNames } from "./model-matcher.ts";
import type { ModelMatcher } from "./model-matcher.ts";
import { NameMemo } from "./name-memo.ts";
import type { PriceRow } from "./price-book.ts";
import type { ListedProvider, ModelLimits, PriceList } from "./price-list.ts";

/** Finds a model's rows by its name. */
export interface ModelIndex {
  hasProvider(provider: string): boolean;
  isStandardTier(provider: string, tier: string): boolean;
  /**
   * The rows of the model that a name means, in the list's order: by its outright name, else by the first match in the
   * list's order, else the same at the provider's fallbacks.
   */
  find(provider: string, model: string): readonly PriceRow[] | undefined;
  /** What is known of the same model's limits. */
  limits(provider: string, model: string): ModelLimits;
  providerAt(baseUrl: string): string | undefined;
  rows(): readonly PriceRow[];
}

/** A longer name is no model's. */
const MAX_MODEL_CHARACTERS = 256;
const MAX_BASE_URL_CHARACTERS = 2048;
/** Names come from callers, so what is remembered of them is bounded. */
const MAX_REMEMBERED_NAMES = 1000;

interface FoundModel {
  readonly rows: readonly PriceRow[];
  readonly limits: ModelLimits;
}

const NO_LIMITS: ModelLimits = Object.freeze({});
/** Remembered as well: to find out that there is none takes longest. */
const NO_MODEL: FoundModel = Object.freeze({ rows: [], limits: NO_LIMITS });

export function createModelIndex(list: PriceList): ModelIndex {
  const providers = new Map(
    list.providers.map((provider) => [provider.name, new ProviderIndex(provider, list.source)]),
  );
  const remembered = new NameMemo<FoundModel>(MAX_REMEMBERED_NAMES);

  function search(provider: ProviderIndex, model: string): FoundModel | undefined {
    const own = provider.find(model);
    if (own !== undefined) return own;
    for (const name of provider.listed.fallbacks ?? []) {
      const found = providers.get(name)?.find(model);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  function find(providerName: string, model: string): FoundModel | undefined {
    if (model.length > MAX_MODEL_CHARACTERS) return undefined;
    let found = remembered.get(providerName, model);
    if (found === undefined) {
      const provider = providers.get(providerName);
      if (provider === undefined) return undefined;
      found = search(provider, model) ?? search(provider, spacedDate(model)) ?? NO_MODEL;
      remembered.set(providerName, model, found);
    }
    return found === NO_MODEL ? undefined : found;
  }

  return {
    hasProvider: (name) => providers.has(name),
    isStandardTier: (name, tier) =>
      providers.get(name)?.listed.standardTiers?.includes(tier) === true,
    find: (provider, model) => find(provider, model)?.rows,
    limits: (provider, model) => find(provider, model)?.limits ?? NO_LIMITS,
    providerAt: (baseUrl) =>
      baseUrl.length > MAX_BASE_URL_CHARACTERS
        ? undefined
        : [...providers.values()].find((provider) => provider.answersAt(baseUrl))?.listed.name,
    rows: () => [...providers.values()].flatMap((provider) => provider.rows()),
  };
}

/** `gpt-4o-20240806` → `gpt-4o-2024-08-06`: some servers write the dates of the list's names without hyphens. */
function spacedDate(model: string): string {
  return model.replaceAll(/-(20\d\d)(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])(?=[-:]|$)/g, "-$1-$2-$3");
}

/** One provider's models. All that is worked out of the list is worked out when it is first needed. */
class ProviderIndex {
  readonly listed: ListedProvider;
  readonly #source: string;
  readonly #found: (FoundModel | undefined)[] = [];
  #positions: ReadonlyMap<string, number> | undefined;
  #matchers: readonly ModelMatcher[] | undefined;

  constructor(listed: ListedProvider, source: string) {
    this.listed = listed;
    this.#source = source;
  }

  find(model: string): FoundModel | undefined {
    this.#positions ??= positionsByName(this.listed);
    const position = this.#positions.get(model.toLowerCase()) ?? this.#match(model);
    return position === undefined ? undefined : this.#at(position);
  }

  rows(): readonly PriceRow[] {
    return this.listed.models.flatMap((_, position) => this.#at(position)?.rows ?? []);
  }

  answersAt(baseUrl: string): boolean {
    return new RegExp(`^(?:${this.listed.apiPattern})`).test(baseUrl);
  }

  #match(model: string): number | undefined {
    this.#matchers ??= this.listed.models.map(([, match]) => createModelMatcher(match));
    const position = this.#matchers.findIndex((matches) => matches(model));
    return position === -1 ? undefined : position;
  }

  #at(position: number): FoundModel | undefined {
    const listed = this.listed.models[position];
    if (listed === undefined) return undefined;
    this.#found[position] ??= {
      rows: rowsOfModel(this.listed.name, listed, this.#source),
      limits: listed[3] ?? NO_LIMITS,
    };
    return this.#found[position];
  }
}

/** A name that two models list belongs to the first. */
function positionsByName(listed: ListedProvider): ReadonlyMap<string, number> {
  const positions = new Map<string, number>();
  for (const [position, [, match]] of listed.models.entries()) {
    for (const name of exactNames(match)) {
      if (!positions.has(name)) positions.set(name, position);
    }
  }
  return positions;
}
