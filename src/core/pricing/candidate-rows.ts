import { NameMemo } from "./name-memo.ts";
import type { PriceRow, RatingRequest } from "./price-book.ts";

export type CandidateQuery = Pick<RatingRequest, "provider" | "model" | "atMs">;

type NamedQuery = CandidateQuery & { readonly model: string };

/** A listed row or an override, for what it holds. */
type Entry = Pick<PriceRow, "variant" | "validFromMs" | "validUntilMs"> & {
  /** Null: a discount on every tier. */
  readonly tier: string | null;
  readonly dailyWindow?: PriceRow["dailyWindow"];
};

/** What the candidates are found with. */
export interface CandidateSource {
  /** Every listed row and every override of the model, whether it holds or not. */
  entriesOf(query: NamedQuery): readonly Entry[];
  /** The row that a call on this tier and of this variant is charged by; undefined: none. */
  find(request: Omit<RatingRequest, "quantities">): PriceRow | undefined;
}

interface Found {
  readonly rows: readonly PriceRow[];
  /** Between these two instants nothing changes. */
  readonly fromMs: number;
  readonly untilMs: number;
}

/** Names come from callers, so what is remembered of them is bounded. */
const MAX_REMEMBERED = 1000;

/**
 * Finds the rows that a model's calls can be charged by, on every tier and in every variant. Asked again between two
 * changes of price, it answers with the very same list.
 */
export class CandidateRows {
  readonly #source: CandidateSource;
  readonly #remembered = new NameMemo<Found>(MAX_REMEMBERED);

  constructor(source: CandidateSource) {
    this.#source = source;
  }

  find(query: CandidateQuery): readonly PriceRow[] {
    const { provider, model, atMs } = query;
    if (model === null) return NONE;
    const known = this.#remembered.get(provider, model);
    if (known !== undefined && atMs >= known.fromMs && atMs < known.untilMs) return known.rows;
    const found = this.#search({ ...query, model });
    this.#remembered.set(provider, model, found);
    return found.rows;
  }

  /** Prices have changed. */
  forget(): void {
    this.#remembered.clear();
  }

  #search(query: NamedQuery): Found {
    const all = this.#source.entriesOf(query);
    const places = new Map<string, Pick<PriceRow, "tier" | "variant">>();
    for (const { tier, variant } of all) {
      // What is taken off every tier adds none.
      if (tier === null) continue;
      places.set(`${tier}\n${variant}`, { tier, variant });
      // A variant that has no row of its own is charged by the one that holds for any.
      places.set(`${tier}\nnull`, { tier, variant: null });
    }
    const rows = new Set<PriceRow>();
    for (const { tier, variant } of places.values()) {
      const row = this.#source.find({ ...query, serviceTier: tier, variant });
      if (row !== undefined) rows.add(row);
    }
    const changes = all.flatMap((entry) => changesOf(entry, query.atMs));
    return {
      rows: [...rows],
      fromMs: Math.max(-Infinity, ...changes.filter((at) => at <= query.atMs)),
      untilMs: Math.min(Infinity, ...changes.filter((at) => at > query.atMs)),
    };
  }
}

const NONE: readonly PriceRow[] = [];
const DAY_MS = 86_400_000;

/** The instants around another one at which an entry begins or ceases to hold. */
function changesOf({ validFromMs, validUntilMs, dailyWindow }: Entry, atMs: number): number[] {
  const changes = validUntilMs === null ? [validFromMs] : [validFromMs, validUntilMs];
  if (dailyWindow === null || dailyWindow === undefined) return changes;
  const today = Math.floor(atMs / DAY_MS) * DAY_MS;
  for (const day of [today - DAY_MS, today, today + DAY_MS]) {
    changes.push(day + dailyWindow.fromSecond * 1000, day + dailyWindow.untilSecond * 1000);
  }
  return changes;
}
