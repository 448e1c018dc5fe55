import type { LimitUse, LimitUseKey, LimitUseMoment } from "../../core/limits/limit-use.ts";
import type { Limit } from "../../core/limits/limit.ts";
import {
  takePermits,
  type PermitGrant,
  type PermitRequest,
} from "../../core/limits/take-permits.ts";
import { takeSlots, type SlotGrant, type SlotRequest } from "../../core/limits/take-slots.ts";
import { RateMeter } from "./rate-meter.ts";
import { SlotMeter } from "./slot-meter.ts";
import type { TripMoment } from "./trip-moment.ts";

/** What one trip says and asks of one use. */
export interface UseRequest {
  readonly requests: PermitRequest | undefined;
  readonly tokens: PermitRequest | undefined;
  readonly slots: SlotRequest | undefined;
}

export interface UseGrant {
  readonly requests: PermitGrant | undefined;
  readonly tokens: PermitGrant | undefined;
  readonly slots: SlotGrant | undefined;
}

/** One limit for one subject, as this process sees it. */
export class LocalUse {
  readonly key: LimitUseKey;
  requests: RateMeter | undefined;
  tokens: RateMeter | undefined;
  slots: SlotMeter | undefined;
  /** Calls that have taken of it and have not ended: they will have something to say. */
  openCalls = 0;
  /** It is looked at a few times a second. */
  isWatched = false;
  /** There may be another one for the same limit and subject by now. */
  isForgotten = false;
  readonly #processId: string;
  #limit: Limit;
  /** The store was told of slots that this process holds, and not yet that it holds none. */
  #owesSlots = false;

  constructor(limit: Limit, subject: string, processId: string) {
    this.key = { limitId: limit.id, subject };
    this.#processId = processId;
    this.#limit = limit;
    this.changeTo(limit);
  }

  get limit(): Limit {
    return this.#limit;
  }

  /** The limit's amounts have changed. What is in flight goes on. */
  changeTo(limit: Limit): void {
    this.#limit = limit;
    const { requestsPerMinute, tokensPerMinute, concurrency } = limit;
    this.requests = changedRate(this.requests, requestsPerMinute);
    this.tokens = changedRate(this.tokens, tokensPerMinute);
    this.#changeSlots(concurrency);
  }

  /** Calls that were let in before there was such a limit, or while there was none, are in flight all the same. */
  #changeSlots(concurrency: number | null): void {
    if (concurrency !== null && this.slots !== undefined) this.slots.limit = concurrency;
    else if (concurrency !== null) {
      this.slots = new SlotMeter(concurrency, this.#processId, this.openCalls);
    } else if (this.slots !== undefined) {
      this.slots = undefined;
      this.#owesSlots = true;
    }
  }

  hasNews(nowMs: number): boolean {
    return (
      this.#owesSlots ||
      this.requests?.hasNews(nowMs) === true ||
      this.tokens?.hasNews(nowMs) === true ||
      this.slots?.hasNews(nowMs) === true
    );
  }

  /** Nothing would be lost with it but what it last heard. */
  isIdle(nowMs: number): boolean {
    return (
      this.openCalls === 0 &&
      !this.#owesSlots &&
      this.requests?.isIdle(nowMs) !== false &&
      this.tokens?.isIdle(nowMs) !== false &&
      this.slots?.isIdle() !== false
    );
  }

  ask(nowMs: number): UseRequest {
    return {
      requests: this.requests?.ask(nowMs),
      tokens: this.tokens?.ask(nowMs),
      slots: this.#askSlots(nowMs),
    };
  }

  #askSlots(nowMs: number): SlotRequest | undefined {
    if (this.slots === undefined && !this.#owesSlots) return undefined;
    this.#owesSlots = false;
    const none = { processId: this.#processId, limit: 0, kept: 0, inFlight: 0, waiting: 0 };
    return this.slots?.ask(nowMs) ?? none;
  }

  hear(request: UseRequest, grant: UseGrant, moment: TripMoment): void {
    if (request.requests !== undefined && grant.requests !== undefined) {
      this.requests?.hear(request.requests, grant.requests, moment);
    }
    if (request.tokens !== undefined && grant.tokens !== undefined) {
      this.tokens?.hear(request.tokens, grant.tokens, moment);
    }
    if (grant.slots !== undefined) this.slots?.hear(grant.slots);
  }

  hearNothing(request: UseRequest): void {
    if (request.requests !== undefined) this.requests?.hearNothing(request.requests);
    if (request.tokens !== undefined) this.tokens?.hearNothing(request.tokens);
    if (request.slots === undefined) return;
    if (this.slots === undefined) this.#owesSlots = true;
    else this.slots.hearNothing();
  }

  /** Whatever is in hand goes back with the next trip. */
  letGo(): void {
    this.requests?.letGo();
    this.tokens?.letGo();
  }
}

/** Decided in the store's transaction, upon what all processes have taken. */
export function decideUse(
  use: LimitUse,
  request: UseRequest,
  { nowMs, runningProcesses }: LimitUseMoment,
): { readonly use: LimitUse; readonly grant: UseGrant } {
  const moment = { nowMs, isShared: runningProcesses.size > 1 };
  const requests = request.requests && takePermits(use.requests, request.requests, moment);
  const tokens = request.tokens && takePermits(use.tokens, request.tokens, moment);
  const slots = request.slots && takeSlots(use.slots, request.slots, runningProcesses);
  return {
    use: {
      ...use,
      requests: requests?.window ?? use.requests,
      tokens: tokens?.window ?? use.tokens,
      slots: slots?.slots ?? use.slots,
    },
    grant: { requests, tokens, slots },
  };
}

function changedRate(meter: RateMeter | undefined, limit: number | null): RateMeter | undefined {
  if (limit === null) return undefined;
  if (meter === undefined) return new RateMeter(limit);
  meter.limit = limit;
  return meter;
}
