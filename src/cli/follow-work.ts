import { setTimeout as delay } from "node:timers/promises";
import type { Output } from "./output.ts";

/** A rotation or a provision, as the admin API tells of it. */
interface Work {
  readonly state: string;
  readonly endedAt: string | null;
  readonly notes: readonly { readonly state: string; readonly text: string }[];
}

export interface FollowTo {
  readonly output: Output;
  readonly stopped: AbortSignal;
}

const POLL_MS = 500;

/**
 * Tells how work goes as it goes, until it has ended, waits for a person, or has come far enough. Being stopped ends the
 * telling, not the work.
 */
export async function followWork<Followed extends Work>(
  begun: Followed,
  {
    output,
    stopped,
    read,
    isEnough,
  }: FollowTo & {
    readonly read: () => Promise<Followed>;
    readonly isEnough: (work: Followed) => boolean;
  },
): Promise<Followed> {
  let work = begun;
  let told = 0;
  for (;;) {
    const notes = work.notes.slice(told);
    told = work.notes.length;
    for (const { state, text } of notes) output.note(`${state}: ${text}`);
    if (work.endedAt !== null || work.state === "failed" || isEnough(work)) return work;
    try {
      await delay(POLL_MS, undefined, { signal: stopped });
    } catch {
      return work; // Recovered from: whoever pressed Control-C is told what goes on without them.
    }
    work = await read();
  }
}
