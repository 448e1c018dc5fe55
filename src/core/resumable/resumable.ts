/**
 * Work in steps that somebody outside is asked for, which may say no, or later, and of which any process can go on where
 * another died: rotations and provisions of provider keys. Here is how such work goes from state to state and when a step
 * is tried again. Nothing in this folder knows the time by itself.
 */

/** How far a piece of work has come. `failed` is a state of every one: it waits for a person to retry or cancel. */
export interface Resumable<State extends string> {
  readonly state: State;
  readonly stateSinceMs: number;
  /** Tries of the present step that failed. */
  readonly attempts: number;
  readonly nextAttemptAtMs: number;
  /** What is in the way, in words for people; null while nothing is. */
  readonly problem: string | null;
  /** With `failed`: the state to go on from. */
  readonly failedIn: State | null;
  /** Null while something is to be done, by a person or by itself. */
  readonly endedAtMs: number | null;
}

/** What stood in the way of a step. */
export interface Trouble {
  /** For people; no secret. */
  readonly problem: string;
  /** Trying again changes nothing. */
  readonly isFinal: boolean;
  /** What the provider asked for. */
  readonly retryAfterMs?: number | undefined;
}

export interface Way<State extends string> {
  /** `a rotation` */
  readonly what: string;
  /** Which states can follow which; one that none follows is an end. */
  readonly after: Readonly<Record<State | "failed", readonly State[]>>;
  /** In these it stays said why it was called off. */
  readonly keepingProblem: readonly State[];
}

const FIRST_WAIT_MS = 2_000;
const MAX_WAIT_MS = 5 * 60_000;

/** The work in its next state, with no try made yet. Throws for a state that cannot follow. */
export function enter<State extends string, Work extends Resumable<State>>(
  { what, after, keepingProblem }: Way<State>,
  work: Work,
  state: State,
  nowMs: number,
): Work {
  if (!after[work.state].includes(state)) {
    throw new Error(`${what} cannot go from ${work.state} to ${state}`);
  }
  return {
    ...work,
    state,
    stateSinceMs: nowMs,
    attempts: 0,
    nextAttemptAtMs: nowMs,
    problem: keepingProblem.includes(state) ? work.problem : null,
    failedIn: state === "failed" ? work.state : null,
    endedAtMs: after[state].length === 0 ? nowMs : null,
  };
}

/** The work after a step that did not succeed: to be tried again, later each time, or by a person. */
export function troubled<State extends string, Work extends Resumable<State | "failed">>(
  way: Way<State | "failed">,
  work: Work,
  trouble: Trouble,
  nowMs: number,
): Work {
  const { problem, isFinal } = trouble;
  if (isFinal) return { ...enter(way, work, "failed", nowMs), problem };
  const nextAttemptAtMs = nowMs + waitOfTrouble(work.attempts, trouble);
  return { ...work, attempts: work.attempts + 1, nextAttemptAtMs, problem };
}

/** After so many tries that failed, and one more that met with this. */
export function waitOfTrouble(
  attempts: number,
  { retryAfterMs }: Pick<Trouble, "retryAfterMs">,
): number {
  return Math.min(MAX_WAIT_MS, Math.max(waitAfter(attempts), retryAfterMs ?? 0));
}

/** After so many tries that failed, with this one to come. */
export function waitAfter(attempts: number): number {
  return Math.min(MAX_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(attempts, 16));
}

/** Whether trying again now means anything: it has failed, or waits for its next try. */
export function isRetryable({ state, attempts }: Resumable<string>): boolean {
  return state === "failed" || attempts > 0;
}

/** Goes on now from where it stopped. Only what is retryable. */
export function retry<State extends string, Work extends Resumable<State>>(
  way: Way<State>,
  work: Work,
  nowMs: number,
): Work {
  if (!isRetryable(work)) throw new Error(`${way.what} in ${work.state} waits for no retry`);
  if (work.failedIn === null) return { ...work, nextAttemptAtMs: nowMs };
  return enter(way, work, work.failedIn, nowMs);
}

/** Whether a person can still call it off: from where it is, or from where it failed. */
export function canTurnBack<State extends string>(
  { after }: Way<State>,
  { state, failedIn }: Pick<Resumable<State>, "state" | "failedIn">,
  back: State,
): boolean {
  const at = state === "failed" ? failedIn : state;
  return at !== null && after[at].includes(back);
}

/** What happened, for people. */
export interface Note<State extends string> {
  readonly atMs: number;
  /** The state in which it was written. */
  readonly state: State;
  readonly text: string;
}

interface Noted<State extends string> {
  readonly state: State;
  readonly notes: readonly Note<State>[];
}

/** The work with one more note, of the state that it is in. */
export function noted<Work extends Noted<string>>(work: Work, text: string, atMs: number): Work {
  return { ...work, notes: [...work.notes, { atMs, state: work.state, text }] };
}

/** What is in the way is noted once, however often it is tried. */
export function notedOnce<Work extends Noted<string>>(
  work: Work,
  text: string,
  atMs: number,
): Work {
  return work.notes.at(-1)?.text === text ? work : noted(work, text, atMs);
}
