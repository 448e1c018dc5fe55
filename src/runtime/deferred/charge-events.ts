import { setImmediate } from "node:timers/promises";
import { ZERO_PICOS } from "../../core/money/picos.ts";
import type { PriceBook } from "../../core/pricing/price-book.ts";
import { deferredEventId } from "../../core/usage/deferred-usage.ts";
import type { UsageEvent } from "../../core/usage/usage-event.ts";
import { pricedAs } from "../../providers/priced-as.ts";
import type { ProviderRegistry } from "../../providers/provider.ts";
import type { PendingUsageRecord, ProviderAccountRecord } from "../../store/records.ts";
import type { Store } from "../../store/store.ts";
import type { Charge } from "./find-usage.ts";

export interface ChargeDeps {
  readonly store: Pick<Store, "providerAccounts">;
  readonly providers: ProviderRegistry;
  readonly priceBook: PriceBook;
}

const EVENTS_A_TURN = 256;

type Events = readonly [UsageEvent, ...UsageEvent[]];

/**
 * The events that charge ended work: the project, key, customer and feature are those of the call that began it, the
 * operation is its with `.deferred` behind it, and the instant is the one at which its end was seen.
 */
export async function createChargeEvents(
  deps: ChargeDeps,
  record: PendingUsageRecord,
  ended: { readonly charges: readonly [Charge, ...Charge[]]; readonly atMs: number },
): Promise<Events> {
  const { providerAccountId } = record.event;
  const account =
    providerAccountId === null
      ? undefined
      : await deps.store.providerAccounts.findById(providerAccountId);
  const buyer = buyerOf(deps, record.event, account);
  const events: UsageEvent[] = [];
  for (const [part, charge] of ended.charges.entries()) {
    // A batch has tens of thousands, and calls are answered in between.
    if (part > 0 && part % EVENTS_A_TURN === 0) await setImmediate();
    events.push(toEvent(deps, record, { charge, part, buyer, atMs: ended.atMs }));
  }
  return events as unknown as Events;
}

interface Buyer {
  /** Whose prices hold. */
  readonly pricedAs: string;
  readonly isFree: boolean;
}

const NO_ACCOUNT = { baseUrl: null, pricedAs: null } as const;

function buyerOf(
  { providers, priceBook }: ChargeDeps,
  { provider: name }: UsageEvent,
  account: ProviderAccountRecord | undefined,
): Buyer {
  const provider = providers.find(name);
  if (provider === undefined) return { pricedAs: name, isFree: false };
  return {
    pricedAs: pricedAs(provider, account ?? NO_ACCOUNT, priceBook),
    isFree: provider.isFree,
  };
}

function toEvent(
  deps: ChargeDeps,
  { event, work }: PendingUsageRecord,
  part: {
    readonly charge: Charge;
    readonly part: number;
    readonly buyer: Buyer;
    readonly atMs: number;
  },
): UsageEvent {
  const { charge, buyer, atMs } = part;
  const { responseId, ...report } = charge;
  const startedAtMs = Math.max(atMs, event.startedAtMs);
  const servedModel = report.servedModel ?? event.servedModel;
  const outcome = { ...report, servedModel };
  return {
    ...event,
    ...outcome,
    id: deferredEventId({ accountId: event.providerAccountId, objectId: work.objectId }, part.part),
    startedAtMs,
    operation: `${event.operation}.deferred`,
    method: "GET",
    path: `/v1${work.path}`,
    isStream: false,
    holdPicos: null,
    httpStatus: 200,
    durationMs: 0,
    firstByteMs: null,
    providerResponseId: responseId ?? work.objectId,
    ...price(deps, outcome, {
      buyer,
      atMs: startedAtMs,
      model: servedModel ?? event.sentModel ?? event.requestedModel,
    }),
    pricePicos: null,
  };
}

type Priced = Pick<UsageEvent, "pricing" | "costPicos" | "priceRowId">;

function price(
  { priceBook }: ChargeDeps,
  { usageSource, serviceTier, variant, quantities }: Omit<Charge, "responseId">,
  of: { readonly buyer: Buyer; readonly atMs: number; readonly model: string | null },
): Priced {
  if (of.buyer.isFree || usageSource === "none") {
    return { pricing: "priced", costPicos: ZERO_PICOS, priceRowId: null };
  }
  if (usageSource === "unknown") return { pricing: "unpriced", costPicos: null, priceRowId: null };
  const { pricing, costPicos, priceRowId } = priceBook.rate({
    provider: of.buyer.pricedAs,
    model: of.model,
    serviceTier,
    variant,
    atMs: of.atMs,
    quantities,
  });
  return { pricing, costPicos, priceRowId };
}
