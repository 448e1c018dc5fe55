import {
  addDemand,
  type DemandCounts,
  NO_DEMAND,
  startOfMinute,
} from "../core/limits/account-demand.ts";

/** What became of a call that was not sent at once. */
interface DemandOutcome {
  readonly waitedMs: number;
  readonly isRefused: boolean;
}

export type MinuteDemand = DemandCounts & { readonly minuteMs: number };

/** More than any model takes. */
const MAX_CALL_TOKENS = 10_000_000;
/** As long as minutes are kept in the store: what cannot be written by then is of no use there. */
const MAX_MINUTES = 120;

/** What was asked of one lane, by the minutes in which the calls came, until somebody takes it. */
export class LaneDemand {
  readonly #minutes = new Map<number, DemandCounts>();

  /** A call has come. Callers name how much it may use: no more counts than there can be room for. */
  arrived(tokens: number, { nowMs, limit }: { nowMs: number; limit: number | undefined }): void {
    const counted = Math.ceil(Math.min(tokens, limit ?? MAX_CALL_TOKENS, MAX_CALL_TOKENS));
    this.#add(startOfMinute(nowMs), { ...NO_DEMAND, requests: 1, tokens: counted });
  }

  /** A call that came then has waited, or was refused. */
  concluded(arrivedAtMs: number, { waitedMs, isRefused }: DemandOutcome): void {
    this.#add(startOfMinute(arrivedAtMs), {
      ...NO_DEMAND,
      waited: waitedMs > 0 ? 1 : 0,
      longestWaitMs: Math.ceil(waitedMs),
      refused: isRefused ? 1 : 0,
    });
  }

  /** What was counted since it was taken last. */
  take(): readonly MinuteDemand[] {
    const taken = [...this.#minutes].map(([minuteMs, counts]) => ({ minuteMs, ...counts }));
    this.#minutes.clear();
    return taken;
  }

  /** What was taken could not be written. */
  giveBack({ minuteMs, ...counts }: MinuteDemand): void {
    this.#add(minuteMs, counts);
  }

  #add(minuteMs: number, counts: DemandCounts): void {
    this.#minutes.set(minuteMs, addDemand(this.#minutes.get(minuteMs) ?? NO_DEMAND, counts));
    if (this.#minutes.size > MAX_MINUTES) this.#minutes.delete(Math.min(...this.#minutes.keys()));
  }
}
