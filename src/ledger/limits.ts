import type { OwnLimit } from "../core/limits/client-token-limit.ts";
import type { DecideUses, LimitUseKey } from "../core/limits/limit-use.ts";
/**
 * The contract of limits: whether a call may go on now, decided for all processes together. Who takes how much is
 * agreed in the store; a call waits for the store only when its process has nothing in hand. What a window is and how
 * much of it is left are rules of `core/limits`.
 */
import type { Limit, LimitMeasure } from "../core/limits/limit.ts";
import type { ScopedCall } from "../core/scopes/scope.ts";

export interface Limits {
  /** No limit is set: nothing need be known of a call. */
  readonly isEmpty: boolean;
  /**
   * Takes what the call needs of every limit that counts it, or of none of them: a refused call costs nothing. Undefined
   * where no limit counts the call. At once where the process has enough in hand or knows that there is none.
   */
  admit(call: LimitedCall): LimitDecision | Promise<LimitDecision>;
  /** The same of limits on provider accounts alone: a call that was admitted goes on to another account. */
  admitToAccount(call: LimitedCall): LimitDecision | Promise<LimitDecision>;
}

export interface LimitedCall extends ScopedCall {
  /** What the call is taken to use, until it is known; 0 = none. */
  readonly tokens: number;
  /** A limit that came with the call, beside those that are set. */
  readonly own?: OwnLimit | undefined;
}

export type LimitDecision = Admission | LimitRefusal | undefined;

/** A call's part of the limits that count it. Everything in here may be called again and then does nothing more. */
export interface Admission {
  readonly isAdmitted: true;
  /** The tightest of the limits of each kind, as they stand with this call. */
  readonly rates: RateStates;
  /** Tokens that a provider call used, beside what was said before. */
  spend(tokens: number): void;
  /** The call goes on to another account: gives its slots back and settles its tokens. */
  leaveAccount(): void;
  /** From now on `other` ends with this one. */
  join(other: Admission): void;
  /** The call has ended, whichever way. */
  end(): void;
  /** The call was not sent after all: nothing of it counts. */
  cancel(): void;
}

export interface LimitRefusal {
  readonly isAdmitted: false;
  readonly limit: Limit;
  /** Whose calls, as `subjectOf` names them. */
  readonly subject: string;
  readonly measure: LimitMeasure;
  /** When there is enough, if nobody else takes it. */
  readonly retryAfterMs: number;
  readonly rates: RateStates;
}

export interface RateStates {
  readonly requests?: RateState | undefined;
  readonly tokens?: RateState | undefined;
}

export interface RateState {
  readonly limit: number;
  readonly remaining: number;
  /** Until nothing counts any more, if nobody takes anything. */
  readonly resetMs: number;
}

/** Where processes agree: the store's repository of uses. */
export interface LimitUseSink {
  change(keys: readonly LimitUseKey[], decide: DecideUses): Promise<void>;
  removeIdle(limit: number): Promise<number>;
}
