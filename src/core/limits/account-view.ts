import type { EnvironmentKind } from "../environments/environment.ts";
import type { ProviderAccountId } from "../ids/ids.ts";
import type { RestReason, RestScope } from "../routing/provider-key-health.ts";
import { type AccountGauge, leftOf, mergeGauges, settleGauge } from "./account-gauge.ts";
import { KEPT_SHARES, KINDS_IN_ORDER, needOf } from "./account-priority.ts";

export interface AccountViewKey {
  readonly accountId: ProviderAccountId;
  /** `""` = what is of the account as a whole. */
  readonly model: string;
}

export interface Amounts {
  readonly calls: number;
  readonly tokens: number;
}

export type WaitingByKind = Readonly<Record<EnvironmentKind, Amounts>>;

/** What one process takes off what is left, for the others to know. */
interface ProcessPart {
  /** Sent, and not counted in what the provider told. */
  readonly onTheirWay: Amounts;
  /** May be sent without asking: nobody else counts on it. */
  readonly reserved: Amounts;
  readonly waiting: WaitingByKind;
}

/** A rest of the account, see RouteHealth. */
export interface SharedRest {
  readonly reason: RestReason;
  readonly scope: RestScope;
  readonly isNamed: boolean;
  readonly untilMs: number;
}

/** What all processes together know of an account and a model. Every time in it is the store's. */
export interface AccountView extends AccountViewKey {
  readonly requests: AccountGauge | null;
  readonly tokens: AccountGauge | null;
  /** Calls that were sent before this are counted in the gauges, whoever sent them. */
  readonly countedBeforeMs: number;
  /** The provider has asked for time until then. */
  readonly closedUntilMs: number;
  /** Of the account; only in the view of it as a whole. */
  readonly rests: readonly SharedRest[];
  readonly processes: Readonly<Record<string, ProcessPart>>;
}

/** When, by the store's clock, and beside whom a view is read. */
export interface ViewMoment {
  readonly nowMs: number;
  /** What others have said of themselves is void. */
  readonly runningProcesses: ReadonlySet<string>;
}

/** What a process has to say of a view, by the store's clock, and what it asks for. */
export interface ViewNews {
  readonly processId: string;
  /** What it was told since it spoke last. */
  readonly requests: AccountGauge | undefined;
  readonly tokens: AccountGauge | undefined;
  readonly countedBeforeMs: number;
  readonly closedUntilMs: number;
  readonly onTheirWay: Amounts;
  readonly waiting: WaitingByKind;
  /** What the call that goes first needs; it is granted whole or not at all. */
  readonly firstTokens: number;
  /** What matters most of what it has sent lately; undefined = it has sent nothing. */
  readonly kind: EnvironmentKind | undefined;
  /** It sends nothing at the moment: it needs no more than to begin again with. */
  readonly isIdle: boolean;
}

/** What others take off a view. */
export interface OthersParts {
  readonly processes: number;
  readonly onTheirWay: Amounts;
  readonly reserved: Amounts;
  readonly waiting: WaitingByKind;
}

export interface Exchanged {
  readonly view: AccountView;
  readonly others: OthersParts;
  /** What this process may send until it speaks again. */
  readonly granted: Amounts;
}

/** What is to become of each of the views that were read, in their order. Pure: it may be asked again. */
export type DecideViews = (
  views: readonly AccountView[],
  moment: ViewMoment,
) => readonly AccountView[];

export const NO_AMOUNTS: Amounts = { calls: 0, tokens: 0 };
export const NONE_WAITING: WaitingByKind = {
  production: NO_AMOUNTS,
  staging: NO_AMOUNTS,
  development: NO_AMOUNTS,
};

/** A provider's own request for time is kept to no longer than this: nothing is learned while nothing is sent. */
export const MAX_CLOSED_MS = 5 * 60_000;
/** Of a limit, to begin again with after a pause. */
const STANDING_SHARE = 0.01;
const MAX_RESTS = 50;

/** A view of which nothing is known. */
export function emptyView({ accountId, model }: AccountViewKey): AccountView {
  return {
    accountId,
    model,
    requests: null,
    tokens: null,
    countedBeforeMs: 0,
    closedUntilMs: 0,
    rests: [],
    processes: {},
  };
}

/**
 * One process says what it knows and takes, and is granted a part of what is left. Where every process sends only what it
 * was granted, all of them together send no more than is left, however old what they know of each other is: what was
 * granted stays taken until its owner speaks again, or is gone.
 */
export function exchangeView(before: AccountView, news: ViewNews, moment: ViewMoment): Exchanged {
  const { nowMs } = moment;
  const requests = mergedGauge(before.requests, news.requests, nowMs);
  const tokens = mergedGauge(before.tokens, news.tokens, nowMs);
  const others = othersOf(before, news.processId, moment);
  const granted = {
    calls: grantOf("calls", requests, { news, others, nowMs }),
    tokens: grantOf("tokens", tokens, { news, others, nowMs }),
  };
  const { onTheirWay, waiting } = news;
  const view: AccountView = {
    accountId: before.accountId,
    model: before.model,
    requests,
    tokens,
    countedBeforeMs: Math.min(nowMs, Math.max(before.countedBeforeMs, news.countedBeforeMs)),
    closedUntilMs: Math.min(
      nowMs + MAX_CLOSED_MS,
      Math.max(before.closedUntilMs, news.closedUntilMs),
    ),
    rests: before.rests,
    processes: {
      ...runningParts(before, moment),
      [news.processId]: { onTheirWay, reserved: granted, waiting },
    },
  };
  return { view, others, granted };
}

/** The view with rests that one process has learned of. */
export function withRests(
  view: AccountView,
  news: readonly SharedRest[],
  { nowMs }: Pick<ViewMoment, "nowMs">,
): AccountView {
  return { ...view, rests: mergedRests(view.rests, news, nowMs) };
}

/** What the other processes that run take off the view. */
export function othersOf(view: AccountView, processId: string, moment: ViewMoment): OthersParts {
  const parts = Object.entries(runningParts(view, moment)).filter(([id]) => id !== processId);
  let others: OthersParts = {
    processes: moment.runningProcesses.has(processId)
      ? moment.runningProcesses.size - 1
      : moment.runningProcesses.size,
    onTheirWay: NO_AMOUNTS,
    reserved: NO_AMOUNTS,
    waiting: NONE_WAITING,
  };
  for (const [, part] of parts) {
    others = {
      ...others,
      onTheirWay: plus(others.onTheirWay, part.onTheirWay),
      reserved: plus(others.reserved, part.reserved),
      waiting: {
        production: plus(others.waiting.production, part.waiting.production),
        staging: plus(others.waiting.staging, part.waiting.staging),
        development: plus(others.waiting.development, part.waiting.development),
      },
    };
  }
  return others;
}

function runningParts(
  { processes }: AccountView,
  { runningProcesses }: ViewMoment,
): Record<string, ProcessPart> {
  return Object.fromEntries(Object.entries(processes).filter(([id]) => runningProcesses.has(id)));
}

function mergedGauge(
  before: AccountGauge | null,
  news: AccountGauge | undefined,
  nowMs: number,
): AccountGauge | null {
  const known = before === null ? undefined : settleGauge(before, nowMs);
  const told = news && settleGauge(news, nowMs);
  if (known === undefined || told === undefined) return told ?? known ?? null;
  return mergeGauges(known, told);
}

function mergedRests(
  before: readonly SharedRest[],
  news: readonly SharedRest[],
  nowMs: number,
): readonly SharedRest[] {
  const rests = new Map<string, SharedRest>();
  for (const rest of [...before, ...news]) {
    if (rest.untilMs > nowMs) rests.set(JSON.stringify([rest.scope, rest.isNamed]), rest);
  }
  return [...rests.values()].slice(-MAX_RESTS);
}

/**
 * What one process may take of what is left. First for what waits, in the order of what matters: calls of others that
 * matter more come before its own, with those that matter as much it shares by how much each has waiting. Then a part of
 * what nobody waits for, so that calls to come need not ask.
 */
function grantOf(
  of: keyof Amounts,
  gauge: AccountGauge | null,
  given: { readonly news: ViewNews; readonly others: OthersParts; readonly nowMs: number },
): number {
  if (gauge === null) return 0;
  const { news, others, nowMs } = given;
  const { limit } = gauge;
  const unsent = leftOf(gauge, nowMs) - news.onTheirWay[of] - others.onTheirWay[of];
  let spare = unsent - others.reserved[of];
  let granted = 0;
  let first = of === "calls" ? 1 : news.firstTokens;
  for (const kind of KINDS_IN_ORDER) {
    const kept = limit * KEPT_SHARES[kind];
    const theirs = others.waiting[kind][of];
    if (news.waiting[kind].calls > 0) {
      const grant = partOf({
        room: spare - kept,
        isUnused: of === "tokens" && news.firstTokens >= limit - kept && unsent >= limit,
        mine: news.waiting[kind][of],
        theirs,
        first: needOf(gauge, { kind, amount: first }),
      });
      first = 0;
      granted += grant;
      spare -= grant;
    }
    spare -= theirs;
    if (kind === news.kind) {
      const ahead = headroom(spare - kept, { limit, others, isIdle: news.isIdle });
      granted += ahead;
      spare -= ahead;
    }
  }
  return granted;
}

/** By how much each has waiting; yet the call that goes first is granted whole by whoever is asked first, or not at all. */
function partOf(wanted: {
  readonly room: number;
  /** The first needs all there ever is, and nothing is used: it goes now, or never. */
  readonly isUnused: boolean;
  readonly mine: number;
  readonly theirs: number;
  readonly first: number;
}): number {
  const { mine, theirs, first } = wanted;
  const room = Math.max(0, Math.floor(wanted.room));
  if (first > room) return wanted.isUnused ? first : 0;
  const fair = Math.floor((room * mine) / Math.max(1, mine + theirs));
  return Math.max(first, Math.min(mine, fair));
}

/** When every process has asked, half of what is free is granted, in equal parts. */
function headroom(
  free: number,
  by: { readonly limit: number; readonly others: OthersParts; readonly isIdle: boolean },
): number {
  const part = Math.max(0, Math.floor(free / (by.others.processes + 2)));
  return by.isIdle ? Math.min(part, Math.max(1, Math.floor(by.limit * STANDING_SHARE))) : part;
}

function plus(one: Amounts, other: Amounts): Amounts {
  return { calls: one.calls + other.calls, tokens: one.tokens + other.tokens };
}
