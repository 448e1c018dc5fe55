import {
  countedAt,
  giveBack,
  LONG_VALID_MS,
  record,
  SCARCE_VALID_MS,
  stepOf,
  totalOf,
  type Counted,
  type SlidingWindow,
} from "./sliding-window.ts";

/** What a process tells the store of one window, and asks of it. */
export interface PermitRequest {
  /** The limit, as the process knows it. */
  readonly limit: number;
  /** What each of the calls that wait needs, in their order; those for which there is enough are granted theirs. */
  readonly waiting: readonly number[];
  /** How long those are good for: longer where the way to the store is slow. At most LONG_VALID_MS. */
  readonly waitingValidMs: number;
  /** What the process has left of earlier grants. */
  readonly inHand: number;
  /** What the process expects to need in a second. A part of it is granted in advance while there is plenty. */
  readonly expectedPerSecond: number;
  /** What one of the process's calls takes. */
  readonly perCall: number;
  /** Permits that were taken and will not be used. */
  readonly returned: readonly Counted[];
  /** Permits that were used, and are recorded at a later moment than that. */
  readonly used: readonly UsedPermits[];
  /** What was used without a permit: counts from now on, also beyond the limit. */
  readonly debt: number;
}

export interface UsedPermits extends Counted {
  /** How long ago the last of them was used, at least. */
  readonly agoMs: number;
}

export interface PermitGrant {
  /** As it counts after the grant. */
  readonly window: SlidingWindow;
  /** Amounts and the moments at which they are recorded: the first is good for as long as was asked. */
  readonly forWaiting: Counted;
  readonly inAdvance: Counted;
  readonly inAdvanceValidMs: number;
  /** Where those that were used are recorded from now on. */
  readonly usedAtMs: readonly number[];
  /** So little is left that another process may be waiting for what lies idle with this one. */
  readonly isTight: boolean;
}

export interface PermitMoment {
  readonly nowMs: number;
  /** Other processes may want some. */
  readonly isShared: boolean;
}

/** Of what is left, a process takes this share in advance at most. */
const ADVANCE_SHARE = 4;
/** What so many calls need that is left last is handed out call by call, where other processes want some too. */
const TIGHT_CALLS = 32;

/** Grants what there is. */
export function takePermits(
  before: SlidingWindow,
  request: PermitRequest,
  { nowMs, isShared }: PermitMoment,
): PermitGrant {
  let window = countedAt(before, nowMs);
  for (const returned of request.returned) window = giveBack(window, returned);
  const usedAtMs = request.used.map(({ agoMs }) => nowMs - agoMs);
  for (const [index, used] of request.used.entries()) {
    window = moveTo(window, used, usedAtMs[index] ?? nowMs);
  }
  window = record(window, { atMs: nowMs, amount: request.debt });
  const free = Math.max(0, request.limit - totalOf(window));
  const forWaiting = {
    atMs: nowMs + request.waitingValidMs,
    amount: neededFor(request, free),
  };
  const left = free - forWaiting.amount;
  const sparable = Math.max(0, isShared ? left - TIGHT_CALLS * request.perCall : left);
  const isPlenty = left * 2 >= request.limit;
  const inAdvanceValidMs = isPlenty ? LONG_VALID_MS : SCARCE_VALID_MS;
  const inAdvance = {
    atMs: nowMs + inAdvanceValidMs,
    amount: Math.min(
      Math.max(
        0,
        Math.floor((request.expectedPerSecond * inAdvanceValidMs) / 1000) - request.inHand,
      ),
      Math.floor(sparable / ADVANCE_SHARE),
    ),
  };
  window = record(record(window, forWaiting), inAdvance);
  const isTight = isShared && sparable === 0;
  return { window, forWaiting, inAdvance, inAdvanceValidMs, usedAtMs, isTight };
}

/** A part of what one call needs is of no use to it, and would be withheld from others. */
function neededFor({ waiting, inHand }: PermitRequest, free: number): number {
  let needed = 0;
  for (const amount of waiting) if (needed + amount <= inHand + free) needed += amount;
  return Math.max(0, needed - inHand);
}

/** What was used need not be counted for as long as what may still be used. */
function moveTo(window: SlidingWindow, used: UsedPermits, toMs: number): SlidingWindow {
  const step = stepOf(used.atMs);
  const recorded = window.find(({ atMs }) => stepOf(atMs) === step)?.amount ?? 0;
  const amount = Math.min(used.amount, recorded);
  if (used.atMs <= toMs || amount === 0) return window;
  return record(giveBack(window, { atMs: used.atMs, amount }), { atMs: toMs, amount });
}
