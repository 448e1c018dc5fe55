import type { EnvironmentKind } from "../core/environments/environment.ts";
import type { AccountUse } from "../core/limits/account-demand.ts";
import {
  leftOf,
  openInMs,
  readGauge,
  spendFrom,
  type AccountGauge,
  mergeGauges,
  settleGauge,
  type ToldLimits,
} from "../core/limits/account-gauge.ts";
import { KEPT_SHARES, needOf } from "../core/limits/account-priority.ts";
import { type Amounts, MAX_CLOSED_MS } from "../core/limits/account-view.ts";
import type { LaneShare } from "./lane-share.ts";

/** What a call needs of a provider account. */
export interface LaneCall {
  readonly kind: EnvironmentKind;
  /** Who shares evenly with others of its kind: the customer, else the gateway key. */
  readonly flow: string;
  readonly tokens: number;
}

export type LaneUse = Omit<AccountUse, "accountId" | "model">;

/** A call that waits and is overtaken. */
export interface Overtaken {
  readonly tokens: number;
  /** Of what it needs, what has to be left for it: 0 to 1. */
  readonly share: number;
}

/** A call that was sent and is not answered yet. */
export interface LaneMark {
  readonly tokens: number;
  readonly sentAtMs: number;
  /** Whether what the provider told last was written when it had this call. */
  isCounted: boolean;
}

/** What a process knows itself of a lane, and takes of it. By its own clock. */
export interface LaneNews {
  readonly version: number;
  /** What it was told since it spoke to the others last. */
  readonly requests: AccountGauge | undefined;
  readonly tokens: AccountGauge | undefined;
  readonly countedBeforeMs: number;
  readonly closedUntilMs: number;
  readonly onTheirWay: Amounts;
}

/** What others know of it. */
export type LaneTidings = Pick<LaneNews, "countedBeforeMs" | "closedUntilMs"> & {
  readonly requests: AccountGauge | null;
  readonly tokens: AccountGauge | null;
};

/** Sent to an account of which nothing is known yet, before the first answer tells of it; production's are not counted. */
const SOUNDING_CALLS = 8;
/** A call that was sent so long before another one has reached the provider before it. */
const ON_ITS_WAY_MS = 1_000;
/** A call that was sent so long ago is counted, even if nothing was answered since. */
const MAX_UNCOUNTED_MS = 60_000;
/** The wait for answers of calls that are on their way. */
const LOOK_AGAIN_MS = 50;
/** Of a limit, what a call is taken to use where none is known. */
const UNKNOWN_SHARE = 0.001;
/** The smallest call uses something. */
const MIN_SHARE = 1e-6;

/** What this process knows of the limits of one account for one model. */
export class AccountLane {
  readonly share: LaneShare;
  readonly #soundingMs: number;
  #requests: AccountGauge | undefined;
  #tokens: AccountGauge | undefined;
  /** Calls that the provider may not have counted in what it told, in the order in which they were sent. */
  #uncounted: LaneMark[] = [];
  #uncountedCalls = 0;
  #uncountedTokens = 0;
  #closedUntilMs = Number.NEGATIVE_INFINITY;
  #closedByOthersUntilMs = Number.NEGATIVE_INFINITY;
  #countedBeforeMs = Number.NEGATIVE_INFINITY;
  /** Counts what this process was told itself, and how much of that the others know. */
  #version = 0;
  #publishedVersion = 0;
  #firstSentAtMs: number | undefined;
  #isSounded = false;
  #unanswered = 0;

  /** `soundingMs`: how long calls wait for the first answer; 0 = they do not. */
  constructor(soundingMs: number, share: LaneShare) {
    this.#soundingMs = soundingMs;
    this.share = share;
  }

  /** Calls of which something is remembered. */
  get remembered(): number {
    return this.#uncounted.length;
  }

  get hasUnanswered(): boolean {
    return this.#unanswered > 0;
  }

  /** Whether the provider has answered a call, or told of limits; to this process or another one. */
  get isSounded(): boolean {
    return this.#isSounded;
  }

  /** As it was told last. */
  get requestLimit(): number | undefined {
    return this.#requests?.limit;
  }

  /** As it was told last. */
  get tokenLimit(): number | undefined {
    return this.#tokens?.limit;
  }

  get isTold(): boolean {
    return this.#requests !== undefined || this.#tokens !== undefined;
  }

  /** What the call takes of the limit that is scarcest for it, as a share of it. */
  shareOf({ tokens }: Pick<LaneCall, "tokens">): number {
    if (!this.isTold) return UNKNOWN_SHARE;
    const ofRequests = this.#requests === undefined ? 0 : 1 / this.#requests.limit;
    const ofTokens = this.#tokens === undefined ? 0 : tokens / this.#tokens.limit;
    return Math.min(1, Math.max(MIN_SHARE, ofRequests, ofTokens));
  }

  /** Until the call may be sent, if no other is; 0 = now. */
  openInMs(call: Pick<LaneCall, "kind" | "tokens">, nowMs: number, overtaken?: Overtaken): number {
    const roomMs = this.#roomInMs(call, nowMs, overtaken);
    return roomMs === 0 && !this.#isGranted(call, nowMs) ? LOOK_AGAIN_MS : roomMs;
  }

  /** Whether a call that may be sent in so long may lack no more than that the other processes hear of it. */
  mayLackGrant(inMs: number): boolean {
    return this.share.isShared && inMs === LOOK_AGAIN_MS;
  }

  /** How much of each limit is used now, as far as it is known. */
  uses(nowMs: number): readonly LaneUse[] {
    const gauges = [
      {
        of: "requests",
        gauge: this.#requests,
        uncounted: this.#uncountedCalls + this.share.onTheirWay("calls", 0),
      },
      {
        of: "tokens",
        gauge: this.#tokens,
        uncounted: this.#uncountedTokens + this.share.onTheirWay("tokens", 0),
      },
    ] as const;
    return gauges.flatMap(({ of, gauge, uncounted }) => {
      if (gauge === undefined) return [];
      const left = Math.max(0, leftOf(gauge, nowMs) - uncounted);
      return [{ of, used: Math.max(0, gauge.limit - left), limit: gauge.limit }];
    });
  }

  /** A call is sent. */
  enter(call: Pick<LaneCall, "kind" | "tokens">, nowMs: number): LaneMark {
    const { tokens } = call;
    this.share.used(call, nowMs);
    const mark: LaneMark = { tokens, sentAtMs: nowMs, isCounted: false };
    this.#unanswered += 1;
    this.#firstSentAtMs ??= nowMs;
    this.#uncountedCalls += 1;
    this.#uncountedTokens += tokens;
    this.#uncounted.push(mark);
    return mark;
  }

  /** The head of the call's answer has come. */
  answered(
    mark: LaneMark,
    head: { readonly isSuccess: boolean; readonly told: ToldLimits; readonly nowMs: number },
  ): void {
    const { told, nowMs, isSuccess } = head;
    this.#unanswered -= 1;
    this.share.note();
    const isTelling = told.requests !== undefined || told.tokens !== undefined;
    if (isSuccess || isTelling) this.#isSounded = true;
    const wasCounted = this.#close(mark);
    if (!isTelling) {
      if (!wasCounted) this.#spend(mark, nowMs);
      this.#count(nowMs - MAX_UNCOUNTED_MS);
      return;
    }
    const doubtMs = nowMs - mark.sentAtMs;
    if (told.requests !== undefined) {
      this.#requests = readGauge(this.#requests, { ...told.requests, doubtMs }, nowMs);
    }
    if (told.tokens !== undefined) {
      this.#tokens = readGauge(this.#tokens, { ...told.tokens, doubtMs }, nowMs);
    }
    this.#version += 1;
    this.#countedBeforeMs = Math.max(this.#countedBeforeMs, mark.sentAtMs - ON_ITS_WAY_MS);
    this.#count(Math.max(mark.sentAtMs - ON_ITS_WAY_MS, nowMs - MAX_UNCOUNTED_MS));
  }

  /** The call has ended without an answer; one that was not sent has used nothing. */
  unanswered(
    mark: LaneMark,
    { wasSent, nowMs }: { readonly wasSent: boolean; readonly nowMs: number },
  ): void {
    this.#unanswered -= 1;
    this.share.note();
    if (!this.#close(mark) && wasSent) this.#spend(mark, nowMs);
    // Also where nothing is ever answered: what is remembered of calls has an end.
    this.#count(nowMs - MAX_UNCOUNTED_MS);
  }

  /** The provider asked for time. */
  closeFor(ms: number, nowMs: number): void {
    const untilMs = nowMs + Math.min(ms, MAX_CLOSED_MS);
    if (untilMs <= Math.max(this.#closedUntilMs, this.#closedByOthersUntilMs)) return;
    this.#closedUntilMs = untilMs;
    this.share.note();
  }

  news(nowMs: number): LaneNews {
    this.#count(nowMs - MAX_UNCOUNTED_MS);
    const isNew = this.#version > this.#publishedVersion;
    return {
      version: this.#version,
      requests: isNew ? this.#requests : undefined,
      tokens: isNew ? this.#tokens : undefined,
      countedBeforeMs: this.#countedBeforeMs,
      closedUntilMs: this.#closedUntilMs,
      onTheirWay: { calls: this.#uncountedCalls, tokens: this.#uncountedTokens },
    };
  }

  /** The others know what this process was told, up to this version. */
  published(version: number): void {
    this.#publishedVersion = version;
  }

  /** What others were told holds for this process too; of what both were told, the later and the lower. */
  hear(tidings: LaneTidings, nowMs: number): void {
    const { requests, tokens, countedBeforeMs, closedUntilMs } = tidings;
    if (requests !== null || tokens !== null) this.#isSounded = true;
    this.#requests = merged(this.#requests, requests, nowMs);
    this.#tokens = merged(this.#tokens, tokens, nowMs);
    this.#closedByOthersUntilMs = Math.min(nowMs + MAX_CLOSED_MS, closedUntilMs);
    this.#count(countedBeforeMs);
  }

  #roomInMs(
    { kind, tokens }: Pick<LaneCall, "kind" | "tokens">,
    nowMs: number,
    overtaken: Overtaken | undefined,
  ): number {
    const closedUntilMs = Math.max(this.#closedUntilMs, this.#closedByOthersUntilMs);
    const closedForMs = Math.max(0, closedUntilMs - nowMs);
    if (!this.#isSounded) return Math.max(closedForMs, this.#soundingForMs(kind, nowMs));
    if (!this.isTold) return closedForMs;
    this.#count(nowMs - MAX_UNCOUNTED_MS);
    const calls = {
      amount: 1,
      overtaken: overtaken && { ...overtaken, amount: 1 },
      ...this.#taken("calls", this.#uncountedCalls),
      kind,
      nowMs,
    };
    const size = {
      amount: tokens,
      overtaken: overtaken && { ...overtaken, amount: overtaken.tokens },
      ...this.#taken("tokens", this.#uncountedTokens),
      kind,
      nowMs,
    };
    return Math.max(closedForMs, roomInMs(this.#requests, calls), roomInMs(this.#tokens, size));
  }

  #taken(of: keyof Amounts, own: number) {
    return {
      uncounted: own + this.share.onTheirWay(of, own),
      reserved: this.share.reservedByOthers(of),
    };
  }

  #isGranted({ kind, tokens }: Pick<LaneCall, "kind" | "tokens">, nowMs: number): boolean {
    const areCalls =
      this.#requests === undefined ||
      this.share.hasGranted("calls", needOf(this.#requests, { amount: 1, kind }), nowMs);
    if (!areCalls || this.#tokens === undefined) return areCalls;
    return this.share.hasGranted("tokens", needOf(this.#tokens, { amount: tokens, kind }), nowMs);
  }

  #soundingForMs(kind: EnvironmentKind, nowMs: number): number {
    if (kind === "production" || this.#unanswered < SOUNDING_CALLS) return 0;
    if (this.#firstSentAtMs === undefined) return 0;
    return Math.max(0, this.#firstSentAtMs + this.#soundingMs - nowMs);
  }

  /** What was sent before this has been counted by the provider. */
  #count(beforeMs: number): void {
    let done = 0;
    for (const mark of this.#uncounted) {
      if (!mark.isCounted && mark.sentAtMs >= beforeMs) break;
      this.#close(mark);
      done += 1;
    }
    if (done > 0) this.#uncounted.splice(0, done);
  }

  /** Nothing more is taken off for the call; whether that was so already. */
  #close(mark: LaneMark): boolean {
    if (mark.isCounted) return true;
    mark.isCounted = true;
    this.#uncountedCalls -= 1;
    this.#uncountedTokens -= mark.tokens;
    return false;
  }

  #spend({ tokens }: LaneMark, nowMs: number): void {
    this.#version += 1;
    if (this.#requests !== undefined) this.#requests = spendFrom(this.#requests, 1, nowMs);
    if (this.#tokens !== undefined) this.#tokens = spendFrom(this.#tokens, tokens, nowMs);
  }
}

interface Need {
  readonly amount: number;
  readonly overtaken: { readonly amount: number; readonly share: number } | undefined;
  readonly uncounted: number;
  readonly reserved: number;
  readonly kind: EnvironmentKind;
  readonly nowMs: number;
}

function roomInMs(gauge: AccountGauge | undefined, need: Need): number {
  if (gauge === undefined) return 0;
  // A call that alone needs more than there ever is goes when nothing else counts: the provider may see it otherwise.
  const { limit } = gauge;
  const needed = limit * KEPT_SHARES[need.kind] + need.amount + savedOf(gauge, need);
  const amount = Math.min(limit, needed);
  const left = leftOf(gauge, need.nowMs);
  if (left - need.uncounted >= Math.min(limit, amount + need.reserved)) return 0;
  // What is on its way may have been counted already: its answers tell. And what others may send they may give back.
  if (left >= amount) return LOOK_AGAIN_MS;
  return Math.max(LOOK_AGAIN_MS, openInMs(gauge, amount, need.nowMs));
}

/** What is left for the call that is overtaken. Where there can't be enough for it before the reset, keeping is no use. */
function savedOf(gauge: AccountGauge, { overtaken, kind, nowMs }: Need): number {
  if (overtaken === undefined) return 0;
  const amount = needOf(gauge, { kind, amount: overtaken.amount });
  const isOutOfReach =
    gauge.refill === "at_once" && leftOf(gauge, nowMs) < amount + gauge.limit * KEPT_SHARES[kind];
  return isOutOfReach ? 0 : amount * overtaken.share;
}

function merged(
  own: AccountGauge | undefined,
  others: AccountGauge | null,
  nowMs: number,
): AccountGauge | undefined {
  if (others === null) return own;
  const heard = settleGauge(others, nowMs);
  return own === undefined ? heard : mergeGauges(own, heard);
}
