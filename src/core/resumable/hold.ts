import { enter, noted, type Note, type Resumable, type Way } from "./resumable.ts";

/**
 * Open work in a database that was put back from a backup waits for a person: the installation that the backup is of may have
 * gone on with the same work, under the same names at the provider, and uses what was made there.
 */
export interface Holdable<State extends string> extends Resumable<State> {
  readonly isHeld: boolean;
  readonly notes: readonly Note<State>[];
}

const HELD_PROBLEM =
  "it was under way in the backup that this database was put back from, and the installation of that backup may have gone on with it";

/** Nothing is done for it any more until a person lets it go on, or gives it up. */
export function hold<State extends string, Work extends Holdable<State | "failed">>(
  way: Way<State | "failed">,
  work: Work,
  nowMs: number,
): Work {
  if (work.isHeld) return work;
  const stopped = work.state === "failed" ? work : enter(way, work, "failed", nowMs);
  const held = { ...stopped, isHeld: true, problem: HELD_PROBLEM };
  return noted(held, `on hold: ${HELD_PROBLEM}`, nowMs);
}

/** Given up where it stands: nothing is undone, and nobody is asked to. Only what is held. */
export function giveUp<State extends string, Work extends Holdable<State | "cancelled">>(
  way: Way<State | "cancelled">,
  work: Work,
  { problem, nowMs }: { readonly problem: string; readonly nowMs: number },
): Work {
  if (!work.isHeld) throw new Error(`${way.what} in ${work.state} is not held`);
  const text = `${problem} Nothing was done at the provider: what was made there for it is as it was.`;
  const given = { ...noted(work, text, nowMs), isHeld: false, problem };
  return enter(way, given, "cancelled", nowMs);
}
