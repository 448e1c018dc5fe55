import type { Act, AuditDraft } from "../core/audit/audit-entry.ts";
import type { ChainPoint, ChainProblem } from "../core/audit/verify-chain.ts";
import type { Store } from "./store.ts";

export interface AuditVerdict {
  /** The last entry of which all is well up to it; sequence 0: none. */
  readonly last: ChainPoint;
  /** Where it is broken first; undefined: nowhere. */
  readonly problem: ChainProblem | undefined;
}

/** A store on which every change that somebody makes by hand is written into the audit log, in the change's transaction. */
export interface AuditedStore extends Store {
  /** Does what somebody asks for. A change outside of this throws, and changes nothing. */
  as<Result>(act: Act, work: () => Result): Result;
  /** Writes of what was done and has changed no row: a message sent as a test. */
  note(draft: AuditDraft): Promise<void>;
  /** Reads the whole log. `expected`: an entry that is known from elsewhere. */
  verify(expected?: ChainPoint): Promise<AuditVerdict>;
}
