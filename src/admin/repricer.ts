import type { ProviderAccountId } from "../core/ids/ids.ts";
import { picos, ZERO_PICOS, type Picos } from "../core/money/picos.ts";
import { repriceEvent, type CurrentCost } from "../core/pricing/reprice-event.ts";
import type { UsageEvent } from "../core/usage/usage-event.ts";
import { pricedAs } from "../providers/priced-as.ts";
import type { CorrectionRecord } from "../store/records.ts";
import type { EventFilter, Store } from "../store/store.ts";
import type { AdminDeps } from "./admin-deps.ts";

/** Small, since a page is priced in one go on the event loop that also serves calls. */
const PAGE_SIZE = 250;

export interface RepriceRequest {
  readonly filter: EventFilter;
  readonly cursor: string | undefined;
  readonly isDryRun: boolean;
  readonly actor: string;
}

/** What became of the events of one page. */
export interface RepriceResult {
  readonly examined: number;
  readonly corrected: number;
  /** Those of the corrected that had no price before. */
  readonly newlyPriced: number;
  readonly unchanged: number;
  readonly withoutPrice: number;
  readonly notPriceable: number;
  readonly differencePicos: Picos;
  readonly nextCursor: string | null;
}

type RepriceDeps = Pick<AdminDeps, "store" | "ids" | "clock" | "priceBook" | "providers">;

interface Corrected {
  readonly event: UsageEvent;
  readonly correction: CorrectionRecord;
}

/**
 * Prices one page of past events with today's price book. Every difference becomes a correction, in one transaction:
 * a run that broke off is repeated, and finds what it has corrected as it left it. Of two that run at once one makes
 * the n-th correction of an event, and the other's is dropped.
 */
export async function repricePage(
  deps: RepriceDeps,
  { filter, cursor, isDryRun, actor }: RepriceRequest,
): Promise<RepriceResult> {
  const page = await deps.store.usage.listEvents({ limit: PAGE_SIZE, cursor }, filter);
  const last = await lastCorrections(deps, page.rows);
  const owners = new Map<ProviderAccountId, string>();
  const counts = { corrected: 0, newlyPriced: 0, unchanged: 0, withoutPrice: 0, notPriceable: 0 };
  const corrections: Corrected[] = [];
  for (const event of page.rows) {
    const before = last.get(event.id);
    const current = currentCost(event, before);
    const owner = await ownerOf(deps, event, owners);
    const result = repriceEvent(deps.priceBook, event, { pricedAs: owner, current });
    if (result.kind === "unchanged") counts.unchanged += 1;
    else if (result.kind === "without_price") counts.withoutPrice += 1;
    else if (result.kind === "not_priceable") counts.notPriceable += 1;
    else {
      const { kind: _, ...change } = result;
      const correction: CorrectionRecord = {
        id: deps.ids.create("cor"),
        eventId: event.id,
        ordinal: (before?.ordinal ?? 0) + 1,
        createdAtMs: deps.clock.nowMs(),
        createdBy: actor,
        previousPricing: current.pricing,
        previousCostPicos: current.costPicos,
        previousPriceRowId: current.priceRowId,
        ...change,
      };
      corrections.push({ event, correction });
    }
  }
  const made = isDryRun ? corrections : await write(deps, corrections);
  let differencePicos: bigint = ZERO_PICOS;
  for (const { correction } of made) {
    differencePicos += correction.differencePicos;
    counts.corrected += 1;
    if (correction.previousPricing === "unpriced") counts.newlyPriced += 1;
  }
  return {
    examined: page.rows.length,
    ...counts,
    differencePicos: picos(differencePicos),
    nextCursor: page.nextCursor,
  };
}

async function write(
  { store }: RepriceDeps,
  corrections: readonly Corrected[],
): Promise<readonly Corrected[]> {
  const { inserted } = await store.corrections.insert(corrections);
  if (inserted === corrections.length) return corrections;
  // Somebody else was faster with some: what is counted is what this run has made.
  const last = await store.corrections.lastOf(corrections.map(({ event }) => event.id));
  const ids = new Set(last.map(({ id }) => id));
  return corrections.filter(({ correction }) => ids.has(correction.id));
}

/** The last correction of each event that has one, by the event's id. */
export async function lastCorrections(
  { store }: { readonly store: Pick<Store, "corrections"> },
  events: readonly UsageEvent[],
): Promise<ReadonlyMap<string, CorrectionRecord>> {
  const last = await store.corrections.lastOf(events.map(({ id }) => id));
  return new Map(last.map((correction) => [correction.eventId, correction]));
}

function currentCost(event: UsageEvent, last: CorrectionRecord | undefined): CurrentCost {
  if (last !== undefined) {
    const { costPicos, priceRowId } = last;
    return { pricing: "priced", costPicos, priceRowId };
  }
  const { costPicos, priceRowId } = event;
  return event.pricing === "priced"
    ? { pricing: "priced", costPicos, priceRowId }
    : { pricing: "unpriced", costPicos: null, priceRowId: null };
}

const NO_ACCOUNT = { baseUrl: null, pricedAs: null } as const;

/** Whose prices held for the call: as the data plane knew it from the account. */
async function ownerOf(
  { store, providers, priceBook }: RepriceDeps,
  { provider: name, providerAccountId: id }: UsageEvent,
  known: Map<ProviderAccountId, string>,
): Promise<string> {
  const provider = providers.find(name);
  if (provider === undefined || id === null) return name;
  let owner = known.get(id);
  if (owner === undefined) {
    const account = await store.providerAccounts.findById(id);
    owner = pricedAs(provider, account ?? NO_ACCOUNT, priceBook);
    known.set(id, owner);
  }
  return owner;
}
