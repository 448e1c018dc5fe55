import type {
  ClientTokenId,
  EnvironmentId,
  EventId,
  GatewayKeyId,
  ProjectId,
  ProviderAccountId,
  ProviderKeyId,
  RequestId,
} from "../ids/ids.ts";
import type { Picos } from "../money/picos.ts";
import type { DeferredWork } from "./deferred-usage.ts";
import type { Quantities } from "./quantities.ts";

/**
 * How the provider call ended. `failed`: the provider refused or broke off without an answer. `interrupted`: an
 * answer began and did not end. `unknown`: the process died between sending and settling.
 */
export const EVENT_STATUSES = ["succeeded", "failed", "interrupted", "unknown"] as const;
export type EventStatus = (typeof EVENT_STATUSES)[number];

/**
 * Where the quantities come from. `reported`: the provider's own usage. `estimated`: worked out here, with a tokenizer or
 * from what was asked for. `none`: nothing was consumed, or the endpoint reports nothing. `unknown`: see EventStatus, or
 * the answer does not say what was consumed; quantities that stand beside it are not all. `deferred`: the provider works
 * on, and what that consumes comes as an event of its own.
 */
export const USAGE_SOURCES = ["reported", "estimated", "none", "unknown", "deferred"] as const;
export type UsageSource = (typeof USAGE_SOURCES)[number];

/**
 * Whether `costPicos` is a figure. `priced`: yes, also when it is an explicit zero. `unpriced`: no, because there is no
 * price, or because the usage is not known: see `lackOf`. `unmetered`: this endpoint's usage is not read. Never a
 * silent 0.
 */
export const PRICING_STATES = ["priced", "unpriced", "unmetered"] as const;
export type PricingState = (typeof PRICING_STATES)[number];

/**
 * What an event lacks of a cost; null: nothing. A price that is not there is somebody's to add; usage that is not known
 * (the process died, the answer does not say) has nothing to do with prices.
 */
export type CostLack = "price" | "usage" | "metering";

export function lackOf({
  pricing,
  usageSource,
}: Pick<CallOutcome, "pricing" | "usageSource">): CostLack | null {
  if (pricing === "priced") return null;
  if (pricing === "unmetered") return "metering";
  return usageSource === "unknown" ? "usage" : "price";
}

/** What ended work has consumed. */
export interface UsageReport {
  readonly status: EventStatus;
  readonly usageSource: UsageSource;
  readonly quantities: Quantities;
  readonly variant: string | null;
  readonly servedModel: string | null;
  readonly serviceTier: string | null;
}

/** What a call has to do with such work: it began it, or its answer shows that it has ended. */
export type DeferredStep =
  | {
      readonly step: "begun";
      readonly work: DeferredWork;
      /** When the provider is first asked of it. */
      readonly firstCheckAtMs: number;
    }
  | {
      readonly step: "ended";
      readonly objectId: string;
      /** Null where the answer does not tell all of it, and the provider must be asked. */
      readonly report: UsageReport | null;
    };

/** What is known when a call is admitted. Journalled before a byte goes to the provider. */
export interface CallIntent {
  readonly id: EventId;
  /** The client's call; its attempts share it. */
  readonly requestId: RequestId;
  /** Which provider call of the client's call this is, counted from 1: more than 1 after a failover. */
  readonly attempt: number;
  /** Milliseconds since the epoch at which the call was admitted; of a later attempt, at which that one began. */
  readonly startedAtMs: number;
  readonly projectId: ProjectId;
  readonly environmentId: EnvironmentId;
  readonly gatewayKeyId: GatewayKeyId;
  /** Of the token that the call came with, made under the key; absent: it came with the key itself. */
  readonly clientTokenId?: ClientTokenId | undefined;
  /** The customer's external id, as the team names it; null when the call names none. */
  readonly customer: string | null;
  readonly feature: string | null;
  /** The operation's name (`chat.completions`, `audio.speech`), or `other` for an endpoint that is not listed. */
  readonly operation: string;
  readonly method: string;
  /** Path without query, at most 256 characters. */
  readonly path: string;
  readonly provider: string;
  /** Null for the built-in simulator that answers when an environment has no key. */
  readonly providerAccountId: ProviderAccountId | null;
  readonly providerKeyId: ProviderKeyId | null;
  readonly requestedModel: string | null;
  readonly isStream: boolean;
  /** Money set aside for the call; null where no budget applies. */
  readonly holdPicos: Picos | null;
  /**
   * What the call has to do with work that is charged later: of an intent, that it has begun it and is still streamed. Only
   * on its way to the store, where it becomes, or wakes, a row of its own; absent in what is read from there.
   */
  readonly deferred?: DeferredStep;
}

/** What is known when a call has ended. */
export interface CallOutcome {
  readonly status: EventStatus;
  /** The provider's HTTP status; null when no response head arrived. */
  readonly httpStatus: number | null;
  /** From `startedAtMs` to the end, and to the first body byte sent on to the client. */
  readonly durationMs: number;
  readonly firstByteMs: number | null;
  readonly providerResponseId: string | null;
  /** What the provider was asked for, where a routing rule put it in place of the requested model; else null. */
  readonly sentModel: string | null;
  readonly servedModel: string | null;
  readonly serviceTier: string | null;
  /** What else the price depends on, see RatingRequest; null for most calls. */
  readonly variant: string | null;
  readonly usageSource: UsageSource;
  readonly quantities: Quantities;
  readonly pricing: PricingState;
  /** What the provider charges us; null unless `pricing` is `priced` (or a hold stands in for an unknown call). */
  readonly costPicos: Picos | null;
  /** What we charge the customer; null where no plan applies. */
  readonly pricePicos: Picos | null;
  /** The price book row the cost was worked out with. */
  readonly priceRowId: string | null;
}

/** One immutable ledger row for one provider call. */
export interface UsageEvent extends CallIntent, CallOutcome {
  /** What was held for its call, for whoever held it. Only in the memory of the call's own process; it may be lost there. */
  readonly hold?: object | undefined;
}

/** A call that Keyward itself refused: counted, never an event. `gatewayKeyId` is null when no key was recognised. */
export interface RefusalCount {
  readonly hourMs: number;
  readonly code: string;
  readonly gatewayKeyId: GatewayKeyId | null;
  readonly customer: string | null;
  /** The window of the hard budget that had too little left, where that is why. */
  readonly budgetWindowId?: string | undefined;
  readonly count: number;
}
