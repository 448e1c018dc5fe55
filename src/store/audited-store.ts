import type { Act, AuditDraft } from "../core/audit/audit-entry.ts";
import type { ChainPoint, ChainProblem } from "../core/audit/verify-chain.ts";
import type { Store } from "./store.ts";

export interface MarkCheck {
  /** How far the log had come when it was seen last; undefined: nothing is known of that. */
  readonly mark: ChainPoint | undefined;
  readonly problem: ChainProblem | undefined;
}

export interface AuditVerdict {
  /** The last entry of which all is well up to it; sequence 0: none. */
  readonly last: ChainPoint;
  /** Where it is broken first; undefined: nowhere. */
  readonly problem: ChainProblem | undefined;
  /** How far this data directory knows the log to have come; undefined: it knows nothing. */
  readonly mark: ChainPoint | undefined;
  /** Where the log was set back on purpose, oldest first: the newest twenty. */
  readonly setBacks: readonly SetBack[];
}

/** A restore, or a log that was accepted as it is. */
export interface SetBack {
  readonly sequence: number;
  readonly atMs: number;
  readonly action: (typeof SET_BACK_ACTIONS)[number];
}

export const SET_BACK_ACTIONS = ["database.restored", "auditLog.accepted"] as const;

/** A store on which every change that somebody makes by hand is written into the audit log, in the change's transaction. */
export interface AuditedStore extends Store {
  /** Does what somebody asks for. A change outside of this throws, and changes nothing. */
  as<Result>(act: Act, work: () => Result): Result;
  /** Writes of what was done and has changed no row: a message sent as a test. */
  note(draft: AuditDraft): Promise<void>;
  /** Reads the whole log. `expected`: an entry that is known from elsewhere. */
  verify(expected?: ChainPoint): Promise<AuditVerdict>;
  /**
   * Moves the mark in the data directory on with the log, reads a little further in it, over and over, and says what is wrong:
   * that it has not come as far as it was seen to have, or what was found in reading.
   */
  followLog(): Promise<MarkCheck>;
  /** What is known to be wrong with the log, without reading it: by the mark, and by what `followLog` has read. */
  inspectLog(): Promise<ChainProblem | undefined>;
  /** Takes the log as it is for the one to go on from, and writes that it was. */
  acceptLog(): Promise<void>;
}
