import { percentOf, reachesShare } from "../alerts/shares.ts";
import { counted } from "../text/counted.ts";
import { type AccountPeaks, type DemandPeak, HOUR_MS } from "./account-demand.ts";

/** The stretches of time over which peaks are told, the shortest first. */
const STRETCHES = ["lastDay", "last7Days", "last30Days"] as const;
export type Stretch = (typeof STRETCHES)[number];

export const STRETCH_MS: Readonly<Record<Stretch, number>> = {
  lastDay: 24 * HOUR_MS,
  last7Days: 7 * 24 * HOUR_MS,
  last30Days: 30 * 24 * HOUR_MS,
};

/** From this share of a limit on it is time to ask for a higher one. */
export const NEAR_PERCENT = 80;

export type LimitedAmount = "requests" | "tokens";
export const LIMITED_AMOUNTS: readonly LimitedAmount[] = ["requests", "tokens"];

export interface LimitFigures {
  /** As the provider has told it last; null = it has not. */
  readonly limit: number | null;
  readonly peaks: Readonly<Record<Stretch, DemandPeak | null>>;
}

/** What the calls of one stretch met with. */
export type WaitFigures = Pick<AccountPeaks, "waited" | "longestWaitMs" | "refused">;

/** What an account was asked for, for one model. */
export interface ModelFigures extends Readonly<Record<LimitedAmount, LimitFigures>> {
  readonly model: string;
  readonly waits: Readonly<Record<Stretch, WaitFigures>>;
}

/** An account as its provider knows it. */
interface AskingAccount {
  readonly provider: string;
  readonly organizationId: string | null;
  readonly providerProjectId: string | null;
}

const NO_WAITS: WaitFigures = { waited: 0, longestWaitMs: 0, refused: 0 };

/** Brings the stretches together, by model. */
export function figuresOf(
  peaks: Readonly<Record<Stretch, readonly AccountPeaks[]>>,
): readonly ModelFigures[] {
  const byModel = (stretch: Stretch) => new Map(peaks[stretch].map((one) => [one.model, one]));
  const found = {
    lastDay: byModel("lastDay"),
    last7Days: byModel("last7Days"),
    last30Days: byModel("last30Days"),
  };
  // What the longest stretch leaves out as too much, a shorter one may have.
  const models = new Set(STRETCHES.flatMap((stretch) => [...found[stretch].keys()]));
  return [...models].toSorted().map((model) => {
    const [lastDay, last7Days, last30Days] = STRETCHES.map((one) => found[one].get(model));
    const newestFirst = [lastDay, last7Days, last30Days];
    const figures = (of: LimitedAmount): LimitFigures => ({
      limit: newestFirst.map((one) => one && limitOf(one, of)).find((limit) => limit) ?? null,
      peaks: {
        lastDay: lastDay?.[of] ?? null,
        last7Days: last7Days?.[of] ?? null,
        last30Days: last30Days?.[of] ?? null,
      },
    });
    const waits = {
      lastDay: waitsOf(lastDay),
      last7Days: waitsOf(last7Days),
      last30Days: waitsOf(last30Days),
    };
    return { model, requests: figures("requests"), tokens: figures("tokens"), waits };
  });
}

/** As it was told last within the stretch. */
export function limitOf(
  peaks: Pick<AccountPeaks, "requestLimit" | "tokenLimit">,
  of: LimitedAmount,
): number | null {
  return of === "requests" ? peaks.requestLimit : peaks.tokenLimit;
}

/** In whole percents, rounded down; null where no limit was told. */
export function shareOf(peak: DemandPeak, limit: number | null): number | null {
  return limit === null ? null : percentOf(peak.amount, limit);
}

/** Whether the peak is so near the limit that a higher one should be asked for. */
export function isNearLimit(peak: DemandPeak | null, limit: number | null): boolean {
  if (peak === null || limit === null) return false;
  return reachesShare({ count: peak.amount, total: limit }, { percent: NEAR_PERCENT, minimum: 1 });
}

/** What to send to the provider: facts, and what is wanted. Null where nothing was near a limit. */
export function composeRequest(
  account: AskingAccount,
  models: readonly ModelFigures[],
  formatMinute: (minuteMs: number) => string,
): string | null {
  const sentences = models.flatMap(({ model, waits, ...figures }) => {
    const near = LIMITED_AMOUNTS.flatMap((of) => describeNear(of, figures[of], formatMinute));
    return near.length === 0 ? [] : [`For ${model}: ${near.join("; ")}.${describeWaits(waits)}`];
  });
  if (sentences.length === 0) return null;
  const { provider, organizationId, providerProjectId } = account;
  const named = [
    ...(organizationId === null ? [] : [`organization ${organizationId}`]),
    ...(providerProjectId === null ? [] : [`project ${providerProjectId}`]),
  ];
  const whose = named.length === 0 ? "" : ` (${named.join(", ")})`;
  return [
    `We ask for higher rate limits for our account at ${provider}${whose}.`,
    ...sentences,
    "Demand is counted by the minute in which a call reached our gateway (UTC), tokens as estimated before the call.",
  ].join(" ");
}

function describeNear(
  of: LimitedAmount,
  { limit, peaks }: LimitFigures,
  formatMinute: (minuteMs: number) => string,
): readonly string[] {
  const highest = peaks.last30Days ?? peaks.last7Days ?? peaks.lastDay;
  if (limit === null || highest === null || !isNearLimit(highest, limit)) return [];
  const week = peaks.last7Days;
  const lately =
    week === null || week.minuteMs === highest.minuteMs
      ? ""
      : `, and to ${count(week.amount)} in the last 7 days`;
  return [
    `your answers tell a limit of ${count(limit)} ${of}, and in the last 30 days our demand came to ${count(highest.amount)} ${of} in one minute (${formatMinute(highest.minuteMs)}), ${percentOf(highest.amount, limit)} % of it${lately}`,
  ];
}

function describeWaits({ last30Days }: ModelFigures["waits"]): string {
  const { waited, longestWaitMs, refused } = last30Days;
  if (waited === 0 && refused === 0) return "";
  const held =
    waited === 0
      ? []
      : [`${counted(waited, "call")} waited for room, the longest ${seconds(longestWaitMs)} s`];
  const lost =
    refused === 0 ? [] : [`${counted(refused, "call was", "calls were")} not sent for want of it`];
  return ` In these 30 days ${[...held, ...lost].join(", and ")}.`;
}

function waitsOf(peaks: AccountPeaks | undefined): WaitFigures {
  if (peaks === undefined) return NO_WAITS;
  const { waited, longestWaitMs, refused } = peaks;
  return { waited, longestWaitMs, refused };
}

function count(value: number): string {
  return value.toLocaleString("en-US");
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(1);
}
