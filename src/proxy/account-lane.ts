import type { EnvironmentKind } from "../core/environments/environment.ts";
import {
  leftOf,
  openInMs,
  readGauge,
  spendFrom,
  type AccountGauge,
  type ToldLimits,
} from "../core/limits/account-gauge.ts";

/** What a call needs of a provider account. */
export interface LaneCall {
  readonly kind: EnvironmentKind;
  /** Who shares evenly with others of its kind: the customer, else the gateway key. */
  readonly flow: string;
  readonly tokens: number;
}

export interface LaneUse {
  readonly of: "requests" | "tokens";
  readonly used: number;
  readonly limit: number;
}

/** A call that was sent and is not answered yet. */
export interface LaneMark {
  readonly tokens: number;
  readonly sentAtMs: number;
  /** Whether what the provider told last was written when it had this call. */
  isCounted: boolean;
}

/** What is kept for calls that matter more: no call leaves less than this of a limit to them. */
const KEPT_SHARES: Readonly<Record<EnvironmentKind, number>> = {
  production: 0,
  staging: 0.1,
  development: 0.2,
};

/** Sent to an account of which nothing is known yet, before the first answer tells of it; production's are not counted. */
const SOUNDING_CALLS = 8;
/** A call that was sent so long before another one has reached the provider before it. */
const ON_ITS_WAY_MS = 1_000;
/** A call that was sent so long ago is counted, even if nothing was answered since. */
const MAX_UNCOUNTED_MS = 60_000;
/** The wait for answers of calls that are on their way. */
const LOOK_AGAIN_MS = 50;
/** A provider's own request for time is kept to no longer than this: nothing is learned while nothing is sent. */
const MAX_CLOSED_MS = 5 * 60_000;

/** What this process knows of the limits of one account for one model. */
export class AccountLane {
  readonly #soundingMs: number;
  #requests: AccountGauge | undefined;
  #tokens: AccountGauge | undefined;
  /** Calls that the provider may not have counted in what it told, in the order in which they were sent. */
  #uncounted: LaneMark[] = [];
  #uncountedCalls = 0;
  #uncountedTokens = 0;
  #closedUntilMs = Number.NEGATIVE_INFINITY;
  #firstSentAtMs: number | undefined;
  #isSounded = false;
  #unanswered = 0;

  /** `soundingMs`: how long calls wait for the first answer; 0 = they do not. */
  constructor(soundingMs: number) {
    this.#soundingMs = soundingMs;
  }

  /** Calls of which something is remembered. */
  get remembered(): number {
    return this.#uncounted.length;
  }

  get hasUnanswered(): boolean {
    return this.#unanswered > 0;
  }

  get isTold(): boolean {
    return this.#requests !== undefined || this.#tokens !== undefined;
  }

  /** Until the call may be sent, if no other is; 0 = now. */
  openInMs({ kind, tokens }: Pick<LaneCall, "kind" | "tokens">, nowMs: number): number {
    const closedForMs = Math.max(0, this.#closedUntilMs - nowMs);
    if (!this.#isSounded) return Math.max(closedForMs, this.#soundingForMs(kind, nowMs));
    if (!this.isTold) return closedForMs;
    this.#count(nowMs - MAX_UNCOUNTED_MS);
    const share = KEPT_SHARES[kind];
    const calls = { amount: 1, uncounted: this.#uncountedCalls, share, nowMs };
    const size = { amount: tokens, uncounted: this.#uncountedTokens, share, nowMs };
    return Math.max(closedForMs, roomInMs(this.#requests, calls), roomInMs(this.#tokens, size));
  }

  /** How much of each limit is used now, as far as it is known. */
  uses(nowMs: number): readonly LaneUse[] {
    const gauges = [
      { of: "requests", gauge: this.#requests, uncounted: this.#uncountedCalls },
      { of: "tokens", gauge: this.#tokens, uncounted: this.#uncountedTokens },
    ] as const;
    return gauges.flatMap(({ of, gauge, uncounted }) => {
      if (gauge === undefined) return [];
      const left = Math.max(0, leftOf(gauge, nowMs) - uncounted);
      return [{ of, used: Math.max(0, gauge.limit - left), limit: gauge.limit }];
    });
  }

  /** A call is sent. */
  enter(tokens: number, nowMs: number): LaneMark {
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
    const isTelling = told.requests !== undefined || told.tokens !== undefined;
    if (isSuccess || isTelling) this.#isSounded = true;
    const wasCounted = this.#close(mark);
    if (!isTelling) {
      if (!wasCounted) this.#spend(mark, nowMs);
      this.#count(nowMs - MAX_UNCOUNTED_MS);
      return;
    }
    if (told.requests !== undefined)
      this.#requests = readGauge(this.#requests, told.requests, nowMs);
    if (told.tokens !== undefined) this.#tokens = readGauge(this.#tokens, told.tokens, nowMs);
    this.#count(Math.max(mark.sentAtMs - ON_ITS_WAY_MS, nowMs - MAX_UNCOUNTED_MS));
  }

  /** The call has ended without an answer; one that was not sent has used nothing. */
  unanswered(
    mark: LaneMark,
    { wasSent, nowMs }: { readonly wasSent: boolean; readonly nowMs: number },
  ): void {
    this.#unanswered -= 1;
    if (!this.#close(mark) && wasSent) this.#spend(mark, nowMs);
    // Also where nothing is ever answered: what is remembered of calls has an end.
    this.#count(nowMs - MAX_UNCOUNTED_MS);
  }

  /** The provider asked for time. */
  closeFor(ms: number, nowMs: number): void {
    const untilMs = nowMs + Math.min(ms, MAX_CLOSED_MS);
    this.#closedUntilMs = Math.max(this.#closedUntilMs, untilMs);
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
    if (this.#requests !== undefined) this.#requests = spendFrom(this.#requests, 1, nowMs);
    if (this.#tokens !== undefined) this.#tokens = spendFrom(this.#tokens, tokens, nowMs);
  }
}

function roomInMs(
  gauge: AccountGauge | undefined,
  need: {
    readonly amount: number;
    readonly uncounted: number;
    readonly share: number;
    readonly nowMs: number;
  },
): number {
  if (gauge === undefined) return 0;
  // A call that alone needs more than there ever is goes when nothing else counts: the provider may see it otherwise.
  const amount = Math.min(gauge.limit, gauge.limit * need.share + need.amount);
  const left = leftOf(gauge, need.nowMs);
  if (left - need.uncounted >= amount) return 0;
  // What is on its way may have been counted already: its answers tell.
  if (left >= amount) return LOOK_AGAIN_MS;
  return Math.max(LOOK_AGAIN_MS, openInMs(gauge, amount, need.nowMs));
}
