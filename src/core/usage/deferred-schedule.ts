import type { DeferredKind, PendingProblem } from "./deferred-usage.ts";

interface CheckSchedule {
  readonly firstMs: number;
  /** The longest time between two checks. */
  readonly maxMs: number;
  /** How old work may become that does not end, or whose provider does not answer. */
  readonly giveUpAfterMs: number;
}

const HOUR_MS = 3_600_000;

/**
 * OpenAI keeps a response in background mode for about ten minutes, so it is asked for often; a batch may take a day, and
 * keeps its files.
 */
const SCHEDULES: Readonly<Record<DeferredKind, CheckSchedule>> = {
  response: { firstMs: 2_000, maxMs: 30_000, giveUpAfterMs: 48 * HOUR_MS },
  thread_run: { firstMs: 2_000, maxMs: 30_000, giveUpAfterMs: 48 * HOUR_MS },
  batch: { firstMs: 15_000, maxMs: 300_000, giveUpAfterMs: 192 * HOUR_MS },
};

const GROWTH = 1.5;
/** Spread over this part of a delay, so that what was begun together is not asked for together. */
const JITTER = 0.2;

/** Nothing is given up for its age alone: the clock may have jumped, or this may be the first start in a week. */
const MIN_CHECKS = 20;
/** What was just begun may not be found yet. */
const MIN_CHECKS_NOT_FOUND = 5;

/** A provider that asks for more time than this is asked all the same. */
const MAX_RETRY_AFTER_MS = HOUR_MS;

/** No check is set further ahead than this. */
export const CHECK_HORIZON_MS = 2 * HOUR_MS;

export function firstCheckDelayMs(kind: DeferredKind): number {
  return SCHEDULES[kind].firstMs;
}

/** `checks`: how often the provider was asked, this time included. `random`: 0 inclusive to 1 exclusive. */
export function nextCheckDelayMs(
  kind: DeferredKind,
  asked: {
    readonly checks: number;
    readonly retryAfterMs: number | undefined;
    readonly random: number;
  },
): number {
  const { firstMs, maxMs } = SCHEDULES[kind];
  const steps = Math.min(asked.checks, 50);
  const delayMs = Math.min(maxMs, firstMs * GROWTH ** steps);
  const spreadMs = delayMs * (1 + JITTER * (asked.random - 0.5));
  return Math.round(Math.max(spreadMs, Math.min(asked.retryAfterMs ?? 0, MAX_RETRY_AFTER_MS)));
}

export function isHopeless(
  kind: DeferredKind,
  asked: {
    readonly checks: number;
    readonly problem: PendingProblem;
    readonly ageMs: number;
  },
): boolean {
  if (asked.problem === "not_found") return asked.checks >= MIN_CHECKS_NOT_FOUND;
  return asked.checks >= MIN_CHECKS && asked.ageMs > SCHEDULES[kind].giveUpAfterMs;
}
