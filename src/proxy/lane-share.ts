import type { EnvironmentKind } from "../core/environments/environment.ts";
import { KINDS_IN_ORDER } from "../core/limits/account-priority.ts";
import {
  type Amounts,
  NO_AMOUNTS,
  type OthersParts,
  type WaitingByKind,
} from "../core/limits/account-view.ts";

/** The processes that serve on the same store, as far as this one knows; one for all lanes. */
export interface Peers {
  /** How many run, this one included. */
  count: number;
  /** The store does not answer: each process goes by what it knows itself. */
  isAway: boolean;
}

/** After a pause of so long a lane keeps no more than it takes to begin again with. */
const IDLE_AFTER_MS = 2_000;
const LATELY_MS = 60_000;
/** A grant that is older may have been forgotten by the store. */
const MAX_GRANT_AGE_MS = 30 * 60_000;

/** What the other processes leave to this one of a lane. */
export class LaneShare {
  readonly #peers: Peers;
  readonly #mayWait: boolean;
  #others: Pick<OthersParts, "onTheirWay" | "reserved"> = {
    onTheirWay: NO_AMOUNTS,
    reserved: NO_AMOUNTS,
  };
  #reserve: Amounts = NO_AMOUNTS;
  #grantedAtMs = Number.NEGATIVE_INFINITY;
  /** Sent since a grant was decided of which this process has not heard yet that it stands. */
  #sentSince: Amounts = NO_AMOUNTS;
  readonly #usedAtMs = new Map<EnvironmentKind, number>();
  #lastUsedAtMs = Number.NEGATIVE_INFINITY;
  #hasNews = false;
  #wasIdle = true;

  constructor(peers: Peers, mayWait: boolean) {
    this.#peers = peers;
    this.#mayWait = mayWait;
  }

  /** Whether others take of the lane, and are heard of. */
  get isShared(): boolean {
    return this.#peers.count > 1 && !this.#peers.isAway;
  }

  /** What matters most of what was sent lately, else what was sent last; undefined = nothing was. */
  kind(nowMs: number): EnvironmentKind | undefined {
    const sinceMs = Math.min(this.#lastUsedAtMs, nowMs - LATELY_MS);
    return KINDS_IN_ORDER.find((kind) => (this.#usedAtMs.get(kind) ?? -Infinity) >= sinceMs);
  }

  isIdle(nowMs: number): boolean {
    return nowMs - this.#lastUsedAtMs > IDLE_AFTER_MS;
  }

  /** Whether the others ought to hear of the lane. */
  hasNews(nowMs: number): boolean {
    return this.#hasNews || (!this.#wasIdle && this.isIdle(nowMs));
  }

  /** Something happened of which the others do not know. */
  note(): void {
    this.#hasNews = true;
  }

  /** What the others have sent that is not counted in what the provider told. */
  onTheirWay(of: keyof Amounts, own: number): number {
    const { count, isAway } = this.#peers;
    if (count <= 1) return 0;
    // Nobody knows; as much as this process has on its way is the best guess for each of them.
    return isAway ? (count - 1) * own : this.#others.onTheirWay[of];
  }

  /** What the others may send without asking. */
  reservedByOthers(of: keyof Amounts): number {
    return this.isShared ? this.#others.reserved[of] : 0;
  }

  /** Whether what was granted to this process suffices. */
  hasGranted(of: keyof Amounts, amount: number, nowMs: number): boolean {
    if (!this.isShared || !this.#mayWait) return true;
    return nowMs - this.#grantedAtMs <= MAX_GRANT_AGE_MS && this.#reserve[of] >= amount;
  }

  used(call: { readonly kind: EnvironmentKind; readonly tokens: number }, nowMs: number): void {
    this.#usedAtMs.set(call.kind, nowMs);
    this.#lastUsedAtMs = nowMs;
    this.#hasNews = true;
    if (this.#peers.count <= 1) return;
    const taken = { calls: 1, tokens: call.tokens };
    this.#reserve = minus(this.#reserve, taken);
    this.#sentSince = plus(this.#sentSince, taken);
  }

  /** A grant was decided, and may yet fail to be noted: until then no more is sent than both allow. */
  decided(granted: Amounts): void {
    this.#reserve = {
      calls: Math.min(this.#reserve.calls, granted.calls),
      tokens: Math.min(this.#reserve.tokens, granted.tokens),
    };
    this.#sentSince = NO_AMOUNTS;
    this.#hasNews = false;
  }

  /** It stands. */
  granted(granted: Amounts, nowMs: number): void {
    this.#reserve = minus(granted, this.#sentSince);
    this.#grantedAtMs = nowMs;
    this.#wasIdle = this.isIdle(nowMs);
  }

  hearOthers(others: OthersParts): void {
    this.#others = others;
    // Others wait while this process may send: it asks anew, and gets less.
    if (this.#reserve.calls > 1 && hasWaiting(others.waiting)) this.#hasNews = true;
  }
}

function hasWaiting(waiting: WaitingByKind): boolean {
  return KINDS_IN_ORDER.some((kind) => waiting[kind].calls > 0);
}

function plus(one: Amounts, other: Amounts): Amounts {
  return { calls: one.calls + other.calls, tokens: one.tokens + other.tokens };
}

function minus(one: Amounts, other: Amounts): Amounts {
  return { calls: one.calls - other.calls, tokens: one.tokens - other.tokens };
}
