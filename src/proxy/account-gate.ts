import type { ProviderAccountId } from "../core/ids/ids.ts";
import type { AccountUse } from "../core/limits/account-demand.ts";
import type { Log } from "../telemetry/log.ts";
import { readAccountLimits } from "../wire/http/account-limit-headers.ts";
import { AccountLane, type LaneCall, type LaneMark } from "./account-lane.ts";
import type { HeaderFields } from "./http/header-fields.ts";
import { LaneDemand, type MinuteDemand } from "./lane-demand.ts";
import { LaneQueue, type Waiter } from "./lane-queue.ts";
import { LaneShare, type Peers } from "./lane-share.ts";
import { nextTurn } from "./lane-turn.ts";
import { toldWaitMs } from "./told-wait.ts";

export interface AccountGateOptions {
  /** How long a call may wait; 0 = it does not. */
  readonly maxWaitMs: number;
  /** Calls that wait for one account and model at a time. */
  readonly maxCalls: number;
  readonly monotonicMs: () => number;
  /** For resets that are told as instants. */
  readonly nowMs: () => number;
  readonly log: Pick<Log, "warn">;
}

/** Whose limits: providers count by account and model. */
export interface LaneOwner {
  readonly accountId: ProviderAccountId;
  readonly model: string;
}

/** A call's leave to be sent to an account. It has to be told what became of the call, once; more does nothing. */
export interface AccountTicket {
  /** The head of its answer is there. */
  answered(head: { readonly status: number; readonly headers: HeaderFields }): void;
  /** It is over, with or without an answer. */
  end(wasSent: boolean): void;
}

export interface GateRefusal {
  readonly ticket: undefined;
  readonly reason: "closed" | "waited" | "crowded" | "left" | "stopping";
  /** Until there is room, if nobody else takes it. */
  readonly retryAfterMs: number;
}

export interface GatePass {
  readonly ticket: AccountTicket;
}

/** The call waits. */
export interface GateWait {
  readonly outcome: Promise<GatePass | GateRefusal>;
  /** Nobody waits for its answer any more. */
  leave(): void;
}

interface Place extends Waiter {
  readonly resolve: (outcome: GatePass | GateRefusal, nowMs: number) => void;
}

/** A lane, for who tells the other processes of it. */
export interface SharedLane {
  readonly owner: LaneOwner;
  readonly account: AccountLane;
  readonly queue: Pick<LaneQueue<Waiter>, "waiting" | "next" | "isAbsent" | "forget">;
}

/** What was asked of a lane in a minute, and the limits that its provider has told. */
export interface OwnedDemand {
  readonly owner: LaneOwner;
  readonly demand: MinuteDemand;
  readonly requestLimit: number | null;
  readonly tokenLimit: number | null;
}

interface Lane extends SharedLane {
  readonly queue: LaneQueue<Place>;
  readonly demand: LaneDemand;
  timer: NodeJS.Timeout | undefined;
  warnedAtMs: number;
}

const MAX_ACCOUNTS = 10_000;
/** Models are named by callers. */
const MAX_MODELS_AN_ACCOUNT = 200;
/** How long calls wait for the first answer of an account of which nothing is known. */
const MAX_SOUNDING_MS = 2_000;
/** A wait for room is looked at no more often, and no more seldom. */
const MIN_TIMER_MS = 5;
const MAX_TIMER_MS = 1_000;
/** How long a call that was sent away is expected to be repeated: providers count by the minute. */
const EXPECTED_FOR_MS = 60_000;
const WARNED_FOR_MS = 60_000;
const TOO_MANY_REQUESTS = 429;

/**
 * Keeps calls from being sent to an account that would refuse them, by what its provider's answers tell of its limits.
 * When little is left, production goes first, then staging, then development; within a kind, customers share it evenly
 * by what their calls take. As long as there is enough, it costs a look-up.
 */
export class AccountGate {
  readonly #options: AccountGateOptions;
  /** The other processes, as far as they are heard of. */
  readonly peers: Peers = { count: 1, isAway: false };
  readonly #lanes = new Map<ProviderAccountId, Map<string, Lane>>();
  #isClosed = false;
  #onNeed: () => void = () => undefined;

  constructor(options: AccountGateOptions) {
    this.#options = options;
  }

  get maxWaitMs(): number {
    return this.#options.maxWaitMs;
  }

  /** Whether the call could be sent at once. */
  isOpen(owner: LaneOwner, call: LaneCall): boolean {
    const lane = this.#lanes.get(owner.accountId)?.get(owner.model);
    if (lane === undefined) return true;
    const nowMs = this.#options.monotonicMs();
    const { account, queue } = lane;
    if (!queue.isWaitingBefore(call.kind, nowMs)) return account.openInMs(call, nowMs) === 0;
    const overtaken = queue.keptAhead(call, account.shareOf(call));
    return overtaken !== undefined && account.openInMs(call, nowMs, overtaken) === 0;
  }

  /** Lets the call be sent, has it wait, or refuses it. */
  enter(owner: LaneOwner, call: LaneCall): GatePass | GateRefusal | GateWait {
    const lane = this.#laneOf(owner);
    if (lane === undefined) return UNCOUNTED;
    const nowMs = this.#options.monotonicMs();
    const arrivedAtMs = this.#options.nowMs();
    lane.demand.arrived(call.tokens, { nowMs: arrivedAtMs, limit: lane.account.tokenLimit });
    const openMs = lane.account.openInMs(call, nowMs);
    if (openMs === 0 && !lane.queue.isWaitingBefore(call.kind, nowMs)) {
      return { ticket: this.#ticket(lane, lane.account.enter(call, nowMs)) };
    }
    this.#warn(lane, nowMs);
    if (this.#isClosed) return refusal("stopping", openMs);
    if (openMs > this.#options.maxWaitMs || this.#options.maxWaitMs === 0) {
      lane.demand.concluded(arrivedAtMs, { waitedMs: 0, isRefused: true });
      this.#expect(lane, call, nowMs);
      return refusal("closed", openMs);
    }
    return this.#wait(lane, call, { nowMs, arrivedAtMs });
  }

  /** The provider has asked for time. */
  closeFor(owner: LaneOwner, ms: number): void {
    this.#laneOf(owner)?.account.closeFor(ms, this.#options.monotonicMs());
  }

  /** To be called back when a call waits for no more than that the other processes hear of it. */
  onNeed(listener: () => void): void {
    this.#onNeed = listener;
  }

  get isUnused(): boolean {
    return this.#lanes.size === 0;
  }

  /** Lanes of which the others ought to hear. */
  listNews(): readonly SharedLane[] {
    const nowMs = this.#options.monotonicMs();
    return [...this.#allLanes()].filter(({ account }) => account.share.hasNews(nowMs));
  }

  /** Undefined where there are too many to remember one more. */
  laneOf(owner: LaneOwner): SharedLane | undefined {
    return this.#laneOf(owner);
  }

  /** Something was heard of the lane from others: there may be room. */
  recheck({ accountId, model }: LaneOwner): void {
    const lane = this.#lanes.get(accountId)?.get(model);
    if (lane !== undefined) this.#letThrough(lane);
  }

  /** How much of the limits of each account and model is used now, where a provider has told of them. */
  listUses(): readonly AccountUse[] {
    const nowMs = this.#options.monotonicMs();
    return [...this.#allLanes()].flatMap(({ owner, account }) =>
      account.uses(nowMs).map((use) => ({ ...owner, ...use })),
    );
  }

  /**
   * What was asked of accounts since it was taken last, of at most so many lanes and minutes. Only of those that have
   * answered: made-up names of models leave no trace.
   */
  takeDemand(limit: number): readonly OwnedDemand[] {
    const taken: OwnedDemand[] = [];
    for (const { owner, account, demand } of this.#allLanes()) {
      if (!account.isSounded) continue;
      const { requestLimit = null, tokenLimit = null } = account;
      for (const minute of demand.take()) {
        if (taken.length < limit) taken.push({ owner, demand: minute, requestLimit, tokenLimit });
        else demand.giveBack(minute);
      }
      if (taken.length >= limit) break;
    }
    return taken;
  }

  /** What was taken could not be written. */
  giveBackDemand(taken: readonly OwnedDemand[]): void {
    for (const { owner, demand } of taken) this.#laneOf(owner)?.demand.giveBack(demand);
  }

  /** Nothing waits any more, and nothing will. */
  close(): void {
    this.#isClosed = true;
    for (const lane of this.#allLanes()) {
      clearTimeout(lane.timer);
      for (let one = lane.queue.longestWaiting(); one; one = lane.queue.longestWaiting()) {
        lane.queue.remove(one);
        one.resolve(refusal("stopping", 0), this.#options.monotonicMs());
      }
    }
  }

  #wait(
    lane: Lane,
    call: LaneCall,
    { nowMs, arrivedAtMs }: { readonly nowMs: number; readonly arrivedAtMs: number },
  ): GateRefusal | GateWait {
    const { promise, resolve: conclude } = Promise.withResolvers<GatePass | GateRefusal>();
    const resolve: Place["resolve"] = (outcome, endedAtMs) => {
      lane.demand.concluded(arrivedAtMs, {
        waitedMs: endedAtMs - nowMs,
        isRefused: outcome.ticket === undefined && IS_FOR_WANT_OF_ROOM[outcome.reason],
      });
      conclude(outcome);
    };
    const place: Place = { call, deadlineMs: nowMs + this.#options.maxWaitMs, resolve };
    lane.account.share.note();
    const displaced = lane.queue.add(place, lane.account.shareOf(call));
    if (displaced !== undefined) {
      const crowded = refusal("crowded", lane.account.openInMs(call, nowMs));
      displaced.resolve(crowded, nowMs);
      if (displaced === place) return crowded;
    }
    this.#letThrough(lane, nowMs);
    return {
      outcome: promise,
      leave: () => {
        if (!lane.queue.remove(place)) return;
        lane.account.share.note();
        resolve(refusal("left", 0), this.#options.monotonicMs());
        this.#letThrough(lane);
      },
    };
  }

  /** It may come again, when there will have been room for it but for others. */
  #expect({ queue, account }: Lane, call: LaneCall, nowMs: number): void {
    if (this.#options.maxWaitMs === 0 || !account.isTold) return;
    const place: Place = { call, deadlineMs: nowMs, resolve: () => undefined };
    queue.expect(place, account.shareOf(call), nowMs + EXPECTED_FOR_MS);
  }

  /** Sends away who has waited long enough, lets through whom there is room for, and comes back in time for the next. */
  #letThrough(lane: Lane, atMs?: number): void {
    const { account, queue } = lane;
    if (queue.size === 0) {
      if (lane.timer !== undefined) clearTimeout(lane.timer);
      lane.timer = undefined;
      return;
    }
    const nowMs = atMs ?? this.#options.monotonicMs();
    queue.forgetAbsent(nowMs);
    let turn = nextTurn(lane, nowMs);
    while (turn?.inMs === 0) {
      queue.take(turn.one);
      const mark = account.enter(turn.one.call, nowMs);
      turn.one.resolve({ ticket: this.#ticket(lane, mark) }, nowMs);
      turn = nextTurn(lane, nowMs);
    }
    let oldest = queue.longestWaiting();
    while (oldest !== undefined && oldest.deadlineMs <= nowMs) {
      queue.giveUp(oldest, nowMs + EXPECTED_FOR_MS);
      account.share.note();
      oldest.resolve(refusal("waited", account.openInMs(oldest.call, nowMs)), nowMs);
      oldest = queue.longestWaiting();
    }
    clearTimeout(lane.timer);
    lane.timer = undefined;
    turn = nextTurn(lane, nowMs);
    if (turn === undefined || oldest === undefined) return;
    if (account.mayLackGrant(turn.inMs)) {
      account.share.note();
      this.#onNeed();
    }
    const inMs = Math.min(turn.inMs, oldest.deadlineMs - nowMs);
    lane.timer = setTimeout(
      () => this.#letThrough(lane),
      Math.ceil(Math.min(MAX_TIMER_MS, Math.max(MIN_TIMER_MS, inMs))),
    );
  }

  #ticket(lane: Lane, mark: LaneMark): AccountTicket {
    const { account } = lane;
    let isOpen = true;
    return {
      answered: ({ status, headers }) => {
        if (!isOpen) return;
        isOpen = false;
        const nowMs = this.#options.monotonicMs();
        const told = readAccountLimits(headers, this.#options.nowMs());
        account.answered(mark, { isSuccess: status < 400, told, nowMs });
        if (status === TOO_MANY_REQUESTS) {
          const namedMs = toldWaitMs(headers, this.#options.nowMs());
          if (namedMs !== undefined) account.closeFor(namedMs, nowMs);
        }
        this.#letThrough(lane);
      },
      end: (wasSent) => {
        if (!isOpen) return;
        isOpen = false;
        account.unanswered(mark, { wasSent, nowMs: this.#options.monotonicMs() });
        this.#letThrough(lane);
      },
    };
  }

  /** Undefined where there are too many to remember one more. */
  #laneOf(owner: LaneOwner): Lane | undefined {
    let models = this.#lanes.get(owner.accountId);
    if (models === undefined) {
      if (this.#lanes.size >= MAX_ACCOUNTS) return undefined;
      models = new Map();
      this.#lanes.set(owner.accountId, models);
    }
    const known = models.get(owner.model);
    if (known !== undefined) return known;
    if (models.size >= MAX_MODELS_AN_ACCOUNT && !forgetOne(models)) return undefined;
    const lane: Lane = {
      owner,
      account: new AccountLane(
        Math.min(MAX_SOUNDING_MS, this.#options.maxWaitMs),
        new LaneShare(this.peers, this.#options.maxWaitMs > 0),
      ),
      queue: new LaneQueue(this.#options.maxCalls),
      demand: new LaneDemand(),
      timer: undefined,
      warnedAtMs: Number.NEGATIVE_INFINITY,
    };
    models.set(owner.model, lane);
    return lane;
  }

  #warn(lane: Lane, nowMs: number): void {
    if (!lane.account.isTold || nowMs < lane.warnedAtMs + WARNED_FOR_MS) return;
    lane.warnedAtMs = nowMs;
    this.#options.log.warn({ ...lane.owner }, "calls wait for a provider account near its limit");
  }

  *#allLanes(): Iterable<Lane> {
    for (const models of this.#lanes.values()) yield* models.values();
  }
}

/** A client that leaves, and a process that stops, say nothing of the account. */
const IS_FOR_WANT_OF_ROOM: Readonly<Record<GateRefusal["reason"], boolean>> = {
  closed: true,
  waited: true,
  crowded: true,
  left: false,
  stopping: false,
};

function refusal(reason: GateRefusal["reason"], retryAfterMs: number): GateRefusal {
  return { ticket: undefined, reason, retryAfterMs };
}

/** The oldest that nobody uses; of those that tell nothing first, so that made-up names do not push out real ones. */
function forgetOne(models: Map<string, Lane>): boolean {
  let oldest: string | undefined;
  for (const [model, { account, queue }] of models) {
    if (queue.size > 0 || account.hasUnanswered) continue;
    if (!account.isTold) {
      models.delete(model);
      return true;
    }
    oldest ??= model;
  }
  return oldest !== undefined && models.delete(oldest);
}

const UNCOUNTED: GatePass = { ticket: { answered: () => undefined, end: () => undefined } };
