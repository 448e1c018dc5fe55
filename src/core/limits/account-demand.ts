import type { ProviderAccountId } from "../ids/ids.ts";

export const MINUTE_MS = 60_000;
export const HOUR_MS = 60 * MINUTE_MS;

/** How much was asked of an account for a model by the calls that came in one minute, whatever became of them. */
export interface AccountDemand {
  readonly accountId: ProviderAccountId;
  readonly model: string;
  /** Where the minute begins, by the clock of the process that the calls came to. */
  readonly minuteMs: number;
  readonly requests: number;
  /** As many as the calls may use: an estimate from above. */
  readonly tokens: number;
  /** Calls that waited for room, whatever came of it. */
  readonly waited: number;
  readonly longestWaitMs: number;
  /** Calls that were not sent because there was no room. */
  readonly refused: number;
  /** As the provider has told them last; null = it has not. */
  readonly requestLimit: number | null;
  readonly tokenLimit: number | null;
}

export type DemandCounts = Pick<
  AccountDemand,
  "requests" | "tokens" | "waited" | "longestWaitMs" | "refused"
>;

/** A peak of one minute, and when that began. */
export interface DemandPeak {
  readonly amount: number;
  readonly minuteMs: number;
}

/** What was asked of an account for a model over a stretch of time. */
export interface AccountPeaks extends Omit<
  AccountDemand,
  "minuteMs" | "requests" | "tokens" | "requestLimit" | "tokenLimit"
> {
  /** Null where the minute's amount was never more than 0. */
  readonly requests: DemandPeak | null;
  readonly tokens: DemandPeak | null;
  readonly requestLimit: number | null;
  readonly tokenLimit: number | null;
}

/** How much of one limit is used at the moment. */
export interface AccountUse {
  readonly accountId: ProviderAccountId;
  readonly model: string;
  readonly of: "requests" | "tokens";
  readonly used: number;
  readonly limit: number;
}

export const NO_DEMAND: DemandCounts = {
  requests: 0,
  tokens: 0,
  waited: 0,
  longestWaitMs: 0,
  refused: 0,
};

export function addDemand(one: DemandCounts, other: DemandCounts): DemandCounts {
  return {
    requests: one.requests + other.requests,
    tokens: one.tokens + other.tokens,
    waited: one.waited + other.waited,
    longestWaitMs: Math.max(one.longestWaitMs, other.longestWaitMs),
    refused: one.refused + other.refused,
  };
}

export function startOfMinute(atMs: number): number {
  return Math.floor(atMs / MINUTE_MS) * MINUTE_MS;
}

export function startOfHour(atMs: number): number {
  return Math.floor(atMs / HOUR_MS) * HOUR_MS;
}
