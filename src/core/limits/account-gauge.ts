/** One of a provider account's own limits, as an answer of the provider told it. */
export interface ToldLimit {
  /** At least 1. */
  readonly limit: number;
  /** At most `limit`. */
  readonly remaining: number;
  /** Until all of the limit is there again; null = it is not said. */
  readonly resetMs: number | null;
  /** How long ago it may have been so: an answer is as old as its call at most. 0 where it is absent. */
  readonly doubtMs?: number | undefined;
}

export interface ToldLimits {
  readonly requests?: ToldLimit | undefined;
  readonly tokens?: ToldLimit | undefined;
}

/**
 * How much is left of one limit, as far as it was told: what is on its way is not taken off. Providers give back
 * what was used in one of two ways. `steady`: bit by bit (OpenAI and Anthropic say that theirs do so). `at_once`:
 * nothing until the reset, then everything; so is taken whatever has not shown that it is steady, because that reading
 * never sends what would be refused.
 */
export type AccountGauge = Reading &
  (
    | { readonly refill: "steady"; readonly perMs: number }
    | {
        readonly refill: "at_once";
        readonly resetsAtMs: number;
        /** The window may end so much sooner. */
        readonly doubtMs: number;
        /** It has shown that it is not steady: until then an answer that fits both does not say that it is. */
        readonly provenUntilMs: number;
      }
  );

interface Reading {
  readonly limit: number;
  /** At `atMs`; below 0 where more was sent than there was. */
  readonly left: number;
  readonly atMs: number;
}

const MINUTE_MS = 60_000;
/** What providers count by. */
const PERIODS_MS = [MINUTE_MS, 24 * 60 * MINUTE_MS];
/** A reset may be rounded to whole seconds. */
const ROUNDING_MS = 1_000;
/** How differently long answers take that tell of the same reset. */
const JITTER_MS = 100;
const TOLERATED_SHARE = 0.05;
/** When nearly all was used at once, both ways of giving back tell the same reset. */
const TELLING_USED_SHARE = 0.8;
/** A window may have a moment at which as much of it is to come as of its limit is used. */
const PROVEN_FOR_MS = MINUTE_MS;
/** A window is believed to be empty no longer than this: nothing is learned while nothing is sent. */
const MAX_EMPTY_MS = 5 * MINUTE_MS;

/**
 * The gauge after an answer. Answers overtake each other, and so do the calls on their way to the provider: of several
 * that tell of one window, or of one moment of a bucket, the one that leaves least counted most.
 */
export function readGauge(
  before: AccountGauge | undefined,
  told: ToldLimit,
  nowMs: number,
): AccountGauge {
  const { limit, remaining, resetMs } = told;
  const isNews =
    before === undefined || before.limit !== limit || isNextWindow(before, told, nowMs);
  const shown = refillOf(told);
  const provenUntilMs = before?.limit === limit ? provenUntil(before, nowMs) : nowMs;
  const isProven = provenUntilMs > nowMs && resetMs !== null;
  const refill = isProven ? "at_once" : (shown ?? before?.refill);
  if (!isNews && refill === "at_once" && isEarlierWindow(before, told, nowMs)) return before;
  const left = isNews ? remaining : Math.min(remaining, leftOf(before, nowMs));
  const reading = { limit, left, atMs: nowMs };
  if (refill === "steady") {
    const used = limit - remaining;
    const isTelling = used > 0 && resetMs !== null && resetMs > 0;
    return { ...reading, refill: "steady", perMs: isTelling ? used / resetMs : limit / MINUTE_MS };
  }
  const emptyForMs = Math.min(resetMs ?? MINUTE_MS, MAX_EMPTY_MS);
  return {
    ...reading,
    refill: "at_once",
    resetsAtMs: nowMs + emptyForMs,
    doubtMs: told.doubtMs ?? 0,
    provenUntilMs: shown === "at_once" ? nowMs + PROVEN_FOR_MS : provenUntilMs,
  };
}

/**
 * Of two gauges of one limit, as two processes were told of it, what can be believed: as if the later one were an answer
 * that came to the process with the earlier one.
 */
export function mergeGauges(one: AccountGauge, other: AccountGauge): AccountGauge {
  const [earlier, later] = one.atMs <= other.atMs ? [one, other] : [other, one];
  const { limit, atMs } = later;
  if (earlier.limit !== limit) return later;
  const left = Math.min(later.left, leftOf(earlier, atMs));
  if (later.refill === "steady") {
    const isWindow = provenUntil(earlier, atMs) > atMs;
    return isWindow ? { ...earlier, left, atMs } : { ...later, left };
  }
  const { resetsAtMs, doubtMs } = later;
  const provenUntilMs = Math.max(later.provenUntilMs, provenUntil(earlier, later.provenUntilMs));
  const told = { limit, remaining: later.left, resetMs: resetsAtMs - atMs, doubtMs };
  if (isNextWindow(earlier, told, atMs)) return { ...later, provenUntilMs };
  if (isEarlierWindow(earlier, told, atMs)) return earlier;
  return { ...later, left, provenUntilMs };
}

/** The gauge by a clock that shows so much more, or less than that by some doubt. */
export function shiftGauge(gauge: AccountGauge, byMs: number, doubtMs: number): AccountGauge {
  const atMs = gauge.atMs + byMs;
  if (gauge.refill === "steady") return { ...gauge, atMs };
  return {
    ...gauge,
    atMs,
    resetsAtMs: gauge.resetsAtMs + byMs,
    doubtMs: gauge.doubtMs + doubtMs,
    provenUntilMs: gauge.provenUntilMs + byMs,
  };
}

/** The gauge as it can be at this time: what it says of the future was noted before a clock stepped back. */
export function settleGauge(gauge: AccountGauge, nowMs: number): AccountGauge {
  const atMs = Math.min(gauge.atMs, nowMs);
  if (gauge.refill === "steady") return { ...gauge, atMs };
  return {
    ...gauge,
    atMs,
    resetsAtMs: Math.min(gauge.resetsAtMs, nowMs + MAX_EMPTY_MS),
    provenUntilMs: Math.min(gauge.provenUntilMs, nowMs + PROVEN_FOR_MS),
  };
}

/** Within a window nothing comes back: where there is more and it ends later, another one has begun. */
function isNextWindow(before: AccountGauge, told: ToldLimit, nowMs: number): boolean {
  if (before.refill !== "at_once" || told.resetMs === null) return false;
  if (nowMs >= before.resetsAtMs) return true;
  const soonestMs = nowMs + told.resetMs - (told.doubtMs ?? 0);
  const isLater = soonestMs > before.resetsAtMs + toleranceMs(told.resetMs);
  return isLater && told.remaining > before.left;
}

/**
 * An answer that took long may come when others have told of the next window. By its reset, which is sooner than theirs
 * can be, what was used in that one would be taken for given back.
 */
function isEarlierWindow(before: AccountGauge, { resetMs }: ToldLimit, nowMs: number): boolean {
  if (before.refill !== "at_once" || resetMs === null || nowMs >= before.resetsAtMs) return false;
  const soonestMs = before.resetsAtMs - before.doubtMs;
  return nowMs + resetMs + toleranceMs(resetMs) < soonestMs;
}

/** Until when it is known that it gives back all at once; where it has not shown that, what is given. */
function provenUntil(gauge: AccountGauge, otherwiseMs: number): number {
  return gauge.refill === "at_once" ? gauge.provenUntilMs : otherwiseMs;
}

/** How far apart two tellings of one reset may be. */
function toleranceMs(resetMs: number): number {
  return resetMs % ROUNDING_MS === 0 ? ROUNDING_MS : JITTER_MS;
}

/**
 * A bucket that refills steadily is full again after as much of its period as of its limit is used; a window's reset has
 * nothing to do with how much is used.
 */
function refillOf({ limit, remaining, resetMs }: ToldLimit): AccountGauge["refill"] | undefined {
  // Where nobody names a reset there is no window to keep to.
  if (resetMs === null) return "steady";
  const usedShare = (limit - remaining) / limit;
  const isSteady = PERIODS_MS.some((periodMs) => {
    const expectedMs = usedShare * periodMs;
    const tolerance = Math.max(ROUNDING_MS, expectedMs * TOLERATED_SHARE);
    return Math.abs(resetMs - expectedMs) <= tolerance;
  });
  if (!isSteady) return "at_once";
  return usedShare <= TELLING_USED_SHARE ? "steady" : undefined;
}

/** What is left now. */
export function leftOf(gauge: AccountGauge, nowMs: number): number {
  if (gauge.refill === "at_once") return nowMs >= gauge.resetsAtMs ? gauge.limit : gauge.left;
  const refilled = Math.max(0, nowMs - gauge.atMs) * gauge.perMs;
  return Math.min(gauge.limit, gauge.left + refilled);
}

/** With so much less: it was used, and nobody has told of it. */
export function spendFrom(gauge: AccountGauge, amount: number, nowMs: number): AccountGauge {
  const left = leftOf(gauge, nowMs) - amount;
  if (gauge.refill === "steady") return { ...gauge, left, atMs: nowMs };
  if (nowMs < gauge.resetsAtMs) return { ...gauge, left, atMs: nowMs };
  return { ...gauge, left, atMs: nowMs, resetsAtMs: nowMs + MINUTE_MS, doubtMs: MINUTE_MS };
}

/** Until so much is left, if nothing more is sent; 0 = it is there, Infinity = it never will be. */
export function openInMs(gauge: AccountGauge, amount: number, nowMs: number): number {
  const left = leftOf(gauge, nowMs);
  if (left >= amount) return 0;
  if (amount > gauge.limit) return Number.POSITIVE_INFINITY;
  return gauge.refill === "steady"
    ? (amount - left) / gauge.perMs
    : Math.max(0, gauge.resetsAtMs - nowMs);
}
