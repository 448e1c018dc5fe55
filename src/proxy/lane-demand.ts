import {
  addDemand,
  type DemandCounts,
  MINUTE_MS,
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

type CountedMinute = { -readonly [Name in keyof MinuteDemand]: MinuteDemand[Name] };

/** What was asked of one lane, by the minutes in which the calls came, until somebody takes it. */
export class LaneDemand {
  readonly #minutes = new Map<number, CountedMinute>();
  /** That of the call that was counted last: nearly always the next one's, too. */
  #latest: CountedMinute | undefined;

  /** A call has come. Callers name how much it may use: no more counts than there can be room for. */
  arrived(tokens: number, { nowMs, limit }: { nowMs: number; limit: number | undefined }): void {
    const minute = this.#minuteOf(nowMs);
    minute.requests += 1;
    minute.tokens += Math.ceil(Math.min(tokens, limit ?? MAX_CALL_TOKENS, MAX_CALL_TOKENS));
  }

  /** A call that came then has waited, or was refused. */
  concluded(arrivedAtMs: number, { waitedMs, isRefused }: DemandOutcome): void {
    const minute = this.#minuteOf(arrivedAtMs);
    if (waitedMs > 0) minute.waited += 1;
    minute.longestWaitMs = Math.max(minute.longestWaitMs, Math.ceil(waitedMs));
    if (isRefused) minute.refused += 1;
  }

  /** What was counted since it was taken last. */
  take(): readonly MinuteDemand[] {
    const taken = [...this.#minutes.values()];
    this.#minutes.clear();
    this.#latest = undefined;
    return taken;
  }

  /** What was taken could not be written. */
  giveBack(demand: MinuteDemand): void {
    const minute = this.#minuteOf(demand.minuteMs);
    Object.assign(minute, addDemand(minute, demand));
  }

  #minuteOf(atMs: number): CountedMinute {
    const latest = this.#latest;
    if (latest !== undefined && atMs >= latest.minuteMs && atMs < latest.minuteMs + MINUTE_MS) {
      return latest;
    }
    const minuteMs = startOfMinute(atMs);
    let minute = this.#minutes.get(minuteMs);
    if (minute === undefined) {
      minute = { minuteMs, ...NO_DEMAND };
      this.#minutes.set(minuteMs, minute);
      if (this.#minutes.size > MAX_MINUTES) this.#minutes.delete(Math.min(...this.#minutes.keys()));
    }
    this.#latest = minute;
    return minute;
  }
}
