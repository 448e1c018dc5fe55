import { type Trouble, waitOfTrouble } from "./resumable.ts";

/**
 * What is looked for at a provider after work has ended: a thing that it was asked for by a process that died, and that it
 * made only after the end, when nothing else would have found it any more.
 */
export interface LateLook {
  /** When it is looked for next; null: not any more. */
  readonly atMs: number | null;
  /** Tries in a row that failed. */
  readonly failures: number;
  /** What was in the way of the last try, in words for people. */
  readonly problem: string | null;
  /** The provider's ids of what was found and deleted. */
  readonly deleted: readonly string[];
}

/** After the end. A provider that was asked takes seconds; one that queues what it is asked for, minutes. */
const LOOKS_AFTER_MS = [20_000, 2 * 60_000, 15 * 60_000] as const;
/** A provider that can't be asked for so long is asked no more: its admin key was taken away, or its account closed. */
const GIVEN_UP_AFTER_MS = 7 * 24 * 3600_000;

export function firstLateLook(endedAtMs: number): LateLook {
  const atMs = endedAtMs + LOOKS_AFTER_MS[0];
  return { atMs, failures: 0, problem: null, deleted: [] };
}

/** One that was made. Those whose time has passed meanwhile are made with it. */
export function afterLateLook(look: LateLook, endedAtMs: number, nowMs: number): LateLook {
  const afterMs = LOOKS_AFTER_MS.find((ms) => endedAtMs + ms > nowMs);
  const atMs = afterMs === undefined ? null : endedAtMs + afterMs;
  return { ...look, atMs, failures: 0, problem: null };
}

/** One that could not be made: it is put off, longer each time, and given up in the end. */
export function afterLateTrouble(
  look: LateLook,
  { endedAtMs, trouble }: { readonly endedAtMs: number; readonly trouble: Trouble },
  nowMs: number,
): LateLook {
  const isGivenUp = nowMs - endedAtMs >= GIVEN_UP_AFTER_MS;
  return {
    ...look,
    atMs: isGivenUp ? null : nowMs + waitOfTrouble(look.failures, trouble),
    failures: look.failures + 1,
    problem: trouble.problem,
  };
}
