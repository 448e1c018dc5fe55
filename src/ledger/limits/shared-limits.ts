import { setTimeout as sleep } from "node:timers/promises";
import type { LimitId } from "../../core/ids/ids.ts";
import type { Limit, LimitMeasure } from "../../core/limits/limit.ts";
import { CallMemo } from "../../core/scopes/call-memo.ts";
import { ScopeIndex } from "../../core/scopes/scope-index.ts";
import { storableText } from "../../core/text/storable-text.ts";
import type {
  Admission,
  LimitDecision,
  LimitedCall,
  LimitRefusal,
  Limits,
  LimitUseSink,
} from "../limits.ts";
import { type AdmissionDeps, CallAdmission, type Taken } from "./call-admission.ts";
import { CountedBy, ratesOf } from "./counted-by.ts";
import { LocalUse } from "./local-use.ts";
import type { RateMeter, TakenPermits } from "./rate-meter.ts";
import type { SlotMeter } from "./slot-meter.ts";
import { StoreTrips, type TripLog } from "./store-trips.ts";

export interface SharedLimitsDeps {
  readonly uses: LimitUseSink;
  /** As the store's table of processes knows this one; slots are held under it. */
  readonly processId: string;
  /** A clock that never jumps. */
  readonly monotonicMs: () => number;
  readonly log: TripLog;
  /** How long calls wait for the store before they are decided without it. */
  readonly answerDeadlineMs?: number | undefined;
  /** Waits; ends early, without an error, when the signal says so. */
  readonly pause?: ((ms: number, signal: AbortSignal) => Promise<void>) | undefined;
}

/** Uses that nobody has asked for lately are forgotten beyond this many. */
const MAX_IDLE_USES = 50_000;
const MAX_FORGOTTEN_A_CALL = 4;
/** A call that has waited for so long is refused: others were always faster. */
const MAX_WAIT_MS = 2_000;
/**
 * What others hold may have become idle: before a call is refused for want of a slot the store is asked again, each time
 * after so long. Together longer than it takes a process to give back what it does not use and others may need (SlotMeter).
 */
const SLOT_PAUSES_MS = [10, 20, 40, 80, 150, 200, 250];
const MIN_RETRY_MS = 50;
/** For room that there will be within this time a call waits, rather than be refused. */
const SOON_MS = 300;
/** Calls that wait for that at once, and how often each does. */
const MAX_SOON = 1_000;
const MAX_SOON_A_CALL = 2;

/**
 * Limits that hold over all processes. Each process takes permits and slots in the store, ahead of the calls where
 * there is plenty, and decides by what it has in hand; while the store is away, by its own share of each limit.
 */
export class SharedLimits implements Limits {
  readonly #deps: SharedLimitsDeps;
  readonly #trips: StoreTrips;
  readonly #admissionDeps: AdmissionDeps;
  readonly #limits = new Map<LimitId, Limit>();
  #index = new ScopeIndex<Limit>([]);
  #memo = new CallMemo<CountedBy>();
  /** By limit, then by subject; both in order of creation. */
  readonly #uses = new Map<LimitId, Map<string, LocalUse>>();
  #useCount = 0;
  #soon = 0;

  constructor(deps: SharedLimitsDeps) {
    this.#deps = deps;
    this.#trips = new StoreTrips(deps);
    this.#admissionDeps = {
      monotonicMs: deps.monotonicMs,
      changed: (use, nowMs) => {
        if (use.slots?.hasNews(nowMs) === true) this.#trips.ask(use);
        else this.#trips.watch(use);
      },
    };
  }

  get isEmpty(): boolean {
    return this.#limits.size === 0;
  }

  /** Takes over what limits there are now under these ids; those that are not given are gone. */
  apply(ids: readonly LimitId[], found: readonly Limit[]): void {
    for (const id of ids) this.#limits.delete(id);
    for (const limit of found) this.#limits.set(limit.id, limit);
    for (const id of ids) {
      const limit = this.#limits.get(id);
      const uses = this.#uses.get(id);
      if (uses === undefined) continue;
      if (limit === undefined) {
        this.#uses.delete(id);
        this.#useCount -= uses.size;
        continue;
      }
      for (const use of uses.values()) {
        use.changeTo(limit);
        // It may have slots to give back, or calls in flight to tell of.
        this.#trips.watch(use);
      }
    }
    this.#index = new ScopeIndex(this.#limits.values());
    this.#memo = new CallMemo();
  }

  admit(call: LimitedCall): LimitDecision | Promise<LimitDecision> {
    return this.#admitTo(this.#countedBy(call), call);
  }

  admitToAccount(call: LimitedCall): LimitDecision | Promise<LimitDecision> {
    const { uses } = this.#countedBy(call);
    const ofAccounts = uses.filter(({ limit }) => limit.scope.kind === "providerAccount");
    return this.#admitTo(new CountedBy(ofAccounts), call);
  }

  #admitTo(counted: CountedBy, call: LimitedCall): LimitDecision | Promise<LimitDecision> {
    if (counted.uses.length === 0) return undefined;
    const nowMs = this.#deps.monotonicMs();
    const decision = this.#tryAll(counted, call, nowMs);
    if (decision === undefined || this.#isSoon(decision))
      return this.#waitFor(counted, call, nowMs);
    return decision;
  }

  /** To be called a few times a second: tells the store what was given back. */
  tick(): void {
    this.#trips.tick();
  }

  /** Gives back what is in hand. */
  async close(): Promise<void> {
    for (const uses of this.#uses.values()) {
      for (const use of uses.values()) use.letGo();
    }
    await this.#trips.close();
  }

  #countedBy(call: LimitedCall): CountedBy {
    const counted = this.#countedByScopes(call);
    if (call.own === undefined) return counted;
    return new CountedBy([...counted.uses, this.#useOf(call.own.limit, call.own.subject)]);
  }

  #countedByScopes(call: LimitedCall): CountedBy {
    const known = this.#memo.get(call, null);
    if (known?.uses.every(isKept) === true) return known;
    const uses: LocalUse[] = [];
    this.#index.visit(call, (limit, subject) => {
      uses.push(this.#useOf(limit, subject));
    });
    const counted = new CountedBy(uses);
    this.#memo.set(call, null, counted);
    return counted;
  }

  #useOf(limit: Limit, subject: string): LocalUse {
    let uses = this.#uses.get(limit.id);
    if (uses === undefined) {
      uses = new Map();
      this.#uses.set(limit.id, uses);
    }
    const known = uses.get(subject);
    if (known !== undefined) return known;
    // Text that the databases would not take; a customer's name may come from a body.
    const key = storableText(subject);
    const sameKey = uses.get(key);
    if (sameKey !== undefined) return sameKey;
    const use = new LocalUse(limit, key, this.#deps.processId);
    uses.set(key, use);
    this.#useCount += 1;
    if (this.#useCount > MAX_IDLE_USES) this.#forgetIdle(uses);
    return use;
  }

  /** A few of the oldest of the limit that has just grown. */
  #forgetIdle(uses: Map<string, LocalUse>): void {
    const nowMs = this.#deps.monotonicMs();
    let looked = 0;
    for (const [subject, use] of uses) {
      looked += 1;
      if (looked > MAX_FORGOTTEN_A_CALL) return;
      uses.delete(subject);
      if (use.isIdle(nowMs)) {
        use.isForgotten = true;
        this.#useCount -= 1;
      }
      // To the end of the line, so that the next ones are looked at next time.
      else uses.set(subject, use);
    }
  }

  /** All or nothing, at once; undefined where the store must be asked. */
  #tryAll(counted: CountedBy, call: LimitedCall, nowMs: number): LimitDecision {
    const { uses } = counted;
    if (haveAll(uses, call, nowMs)) return this.#takeAll(counted, call, nowMs);
    const refusal = this.#findRefusal(uses, call, nowMs);
    if (refusal === "unknown") return undefined;
    if (refusal !== undefined) return refusal;
    return this.#takeAll(counted, call, nowMs);
  }

  #findRefusal(
    uses: readonly LocalUse[],
    call: LimitedCall,
    nowMs: number,
  ): LimitRefusal | "unknown" | undefined {
    let latest: { use: LocalUse; measure: LimitMeasure; retryAfterMs: number } | undefined;
    let isUnknown = false;
    for (const use of uses) {
      for (const [measure, retryAfterMs] of this.#shortagesOf(use, call, nowMs)) {
        if (retryAfterMs === undefined) isUnknown = true;
        else if (latest === undefined || retryAfterMs > latest.retryAfterMs) {
          latest = { use, measure, retryAfterMs };
        }
      }
    }
    if (latest !== undefined) return this.#refuse(uses, latest, nowMs);
    return isUnknown ? "unknown" : undefined;
  }

  /** What there is not enough of, and when it is worth trying again; undefined = the store must be asked. */
  #shortagesOf(
    { requests, tokens, slots }: LocalUse,
    call: LimitedCall,
    nowMs: number,
  ): readonly (readonly [LimitMeasure, number | undefined])[] {
    const isAway = this.#trips.isAway();
    let shortages: (readonly [LimitMeasure, number | undefined])[] | undefined;
    const lack = (measure: LimitMeasure, retryAfterMs: number | undefined): void => {
      shortages ??= [];
      shortages.push([measure, retryAfterMs]);
    };
    if (requests !== undefined && !requests.has(1, nowMs)) {
      if (!isAway) lack("requests", requests.refusalMs(1, nowMs));
      else if (!requests.hasOfShare(1, this.#shareOf(requests.limit), nowMs)) {
        lack("requests", requests.shareReturnsInMs(nowMs));
      }
    }
    const amount = tokens?.clamp(call.tokens) ?? 0;
    if (tokens !== undefined && !tokens.has(amount, nowMs)) {
      if (!isAway) lack("tokens", tokens.refusalMs(amount, nowMs));
      else if (!tokens.hasOfShare(amount, this.#shareOf(tokens.limit), nowMs)) {
        lack("tokens", tokens.shareReturnsInMs(nowMs));
      }
    }
    if (slots !== undefined && !slots.has()) {
      if (!isAway) lack("concurrency", slots.refusalMs());
      else if (!slots.hasOfShare(this.#shareOf(slots.limit))) lack("concurrency", MAX_WAIT_MS);
    }
    return shortages ?? NONE;
  }

  /** While the store is away: an equal part for each process that was running when it was last heard of. */
  #shareOf(limit: number): number {
    return Math.max(1, Math.floor(limit / this.#trips.processCount));
  }

  #takeAll(counted: CountedBy, call: LimitedCall, nowMs: number): Admission {
    const taken: Taken[] = [];
    for (const use of counted.uses) taken.push(this.#take(use, call, nowMs));
    return new CallAdmission(this.#admissionDeps, taken, counted.ratesAt(nowMs));
  }

  #take(use: LocalUse, call: LimitedCall, nowMs: number): Taken {
    const { requests, tokens, slots } = use;
    use.openCalls += 1;
    const taken = {
      use,
      requests: requests && takeOf(requests, 1, nowMs),
      tokens: tokens && takeOf(tokens, tokens.clamp(call.tokens), nowMs),
    };
    slots?.take();
    if (requests?.isRunningLow(nowMs) === true || tokens?.isRunningLow(nowMs) === true) {
      this.#trips.ask(use);
    } else this.#trips.watch(use);
    return taken;
  }

  async #waitFor(counted: CountedBy, call: LimitedCall, sinceMs: number): Promise<LimitDecision> {
    const { uses } = counted;
    const pausesMs = SLOT_PAUSES_MS.values();
    let waitedForRoom = 0;
    for (;;) {
      const release = queueUp(uses, call);
      await this.#trips.next(uses);
      release();
      const decision = this.#tryAll(counted, call, this.#deps.monotonicMs());
      if (decision !== undefined) {
        if (!this.#isSoon(decision) || waitedForRoom >= MAX_SOON_A_CALL) return decision;
        waitedForRoom += 1;
        await this.#waitForRoom(decision.retryAfterMs);
        continue;
      }
      const lacking = uses.flatMap(({ slots }) => (slots?.has() === false ? [slots] : []));
      const pauseMs = lacking.length === 0 ? 0 : pausesMs.next().value;
      const nowMs = this.#deps.monotonicMs();
      if (pauseMs === undefined || nowMs - sinceMs >= MAX_WAIT_MS) {
        return this.#refuseLate(uses, call, nowMs);
      }
      if (pauseMs === 0) continue;
      await this.#waitForSlots(lacking, pauseMs);
      const retried = this.#tryAll(counted, call, this.#deps.monotonicMs());
      if (retried !== undefined) return retried;
    }
  }

  #isSoon(decision: NonNullable<LimitDecision>): decision is LimitRefusal {
    if (decision.isAdmitted || decision.measure === "concurrency") return false;
    return decision.retryAfterMs <= SOON_MS && this.#soon < MAX_SOON && !this.#trips.isAway();
  }

  async #waitForRoom(ms: number): Promise<void> {
    this.#soon += 1;
    await (this.#deps.pause ?? pause)(ms, NEVER);
    this.#soon -= 1;
  }

  /** For one to be free, or for a while; what trips are made meanwhile ask for them. */
  async #waitForSlots(lacking: readonly SlotMeter[], pauseMs: number): Promise<void> {
    const woken = new AbortController();
    const undone = lacking.map((slots) => slots.onFree(() => woken.abort()));
    for (const slots of lacking) slots.wait();
    await (this.#deps.pause ?? pause)(pauseMs, woken.signal);
    for (const undo of undone) undo();
    for (const slots of lacking) slots.waitNoMore();
  }

  #refuseLate(uses: readonly LocalUse[], call: LimitedCall, nowMs: number): LimitRefusal {
    for (const use of uses) {
      for (const [measure, knownMs] of this.#shortagesOf(use, call, nowMs)) {
        const vainMs = measure === "concurrency" ? use.slots?.retryMs : undefined;
        const retryAfterMs = knownMs ?? vainMs ?? MIN_RETRY_MS;
        return this.#refuse(uses, { use, measure, retryAfterMs }, nowMs);
      }
    }
    throw new Error("a call was refused that lacks nothing");
  }

  #refuse(
    uses: readonly LocalUse[],
    lack: { readonly use: LocalUse; readonly measure: LimitMeasure; readonly retryAfterMs: number },
    nowMs: number,
  ): LimitRefusal {
    const { use, measure, retryAfterMs } = lack;
    return {
      isAdmitted: false,
      limit: use.limit,
      subject: use.key.subject,
      measure,
      retryAfterMs: Math.max(MIN_RETRY_MS, Math.ceil(retryAfterMs)),
      rates: ratesOf(uses, nowMs),
    };
  }
}

const NONE: readonly never[] = [];
const NEVER = new AbortController().signal;

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch((err: unknown) => {
    if (!signal.aborted) throw err;
  });
}

function isKept(use: LocalUse): boolean {
  return !use.isForgotten;
}

/** Whether everything that the call needs is in hand. */
function haveAll(uses: readonly LocalUse[], call: LimitedCall, nowMs: number): boolean {
  for (const { requests, tokens, slots } of uses) {
    if (requests?.has(1, nowMs) === false || slots?.has() === false) return false;
    if (tokens?.has(tokens.clamp(call.tokens), nowMs) === false) return false;
  }
  return true;
}

/** Says what a call needs, for the trip that comes next; returns what takes that back. */
function queueUp(uses: readonly LocalUse[], call: LimitedCall): () => void {
  const undone: (() => void)[] = [];
  for (const { requests, tokens, slots } of uses) {
    if (requests !== undefined) {
      requests.wait(1);
      undone.push(() => requests.waitNoMore(1));
    }
    const amount = tokens?.clamp(call.tokens) ?? 0;
    if (tokens !== undefined && amount > 0) {
      tokens.wait(amount);
      undone.push(() => tokens.waitNoMore(amount));
    }
    if (slots !== undefined) {
      slots.wait();
      undone.push(() => slots.waitNoMore());
    }
  }
  return () => {
    for (const undo of undone) undo();
  };
}

function takeOf(meter: RateMeter, amount: number, nowMs: number): TakenPermits {
  return meter.has(amount, nowMs) ? meter.take(amount, nowMs) : meter.takeOfShare(amount, nowMs);
}
