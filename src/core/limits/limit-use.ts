import type { LimitId } from "../ids/ids.ts";
import type { SlidingWindow } from "./sliding-window.ts";

/** One limit for one subject: what a row of the store counts. */
export interface LimitUseKey {
  readonly limitId: LimitId;
  /** Whose calls, as `subjectOf` names them; the organization is `""`. */
  readonly subject: string;
}

/** What all processes together have taken of a limit. */
export interface LimitUse extends LimitUseKey {
  readonly requests: SlidingWindow;
  readonly tokens: SlidingWindow;
  /** By the id of the process that holds them. */
  readonly slots: HeldSlots;
}

export type HeldSlots = Readonly<Record<string, SlotHolding>>;

/** Slots for calls in flight that one process holds, as it said last. */
interface SlotHolding {
  readonly held: number;
  /** Calls that are in flight in them; the others are held ready. */
  readonly inFlight: number;
}

/** When, by the store's clock, and beside whom a change of uses is decided. */
export interface LimitUseMoment {
  readonly nowMs: number;
  /** Slots of any other process are void. */
  readonly runningProcesses: ReadonlySet<string>;
}

/** What is to become of each of the uses that were read, in their order. Pure: it may be asked again. */
export type DecideUses = (uses: readonly LimitUse[], moment: LimitUseMoment) => readonly LimitUse[];
