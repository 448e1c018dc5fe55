import {
  auditText,
  headText,
  type AuditEntry,
  type AuditHash,
  type AuditHead,
} from "./audit-entry.ts";

/** By the mark of it in the data directory: a log that is accepted as it is has these no more. */
const MARK_FAULTS = ["cut", "replaced", "mark_foreign"] as const;
export type MarkFault = (typeof MARK_FAULTS)[number];

export const CHAIN_FAULTS = [
  "altered",
  "missing",
  "moved",
  "end_missing",
  "head_altered",
  // Sound in itself, and not the chain of which the entry was written down.
  "unexpected",
  ...MARK_FAULTS,
] as const;
export type ChainFault = (typeof CHAIN_FAULTS)[number];

export function isMarkFault(fault: ChainFault): fault is MarkFault {
  return (MARK_FAULTS as readonly string[]).includes(fault);
}

/** The first thing that is wrong with a chain. */
export interface ChainProblem {
  readonly fault: ChainFault;
  /** Where it shows: the entry's place in the chain. */
  readonly sequence: number;
}

/** The end of a chain that somebody wrote down earlier. */
export interface ChainPoint {
  readonly sequence: number;
  readonly hash: string;
}

/** Reads a chain from its first entry on, and says where it is broken first. Any number of entries, in constant memory. */
export class ChainVerifier {
  readonly #hash: AuditHash;
  readonly #expected: ChainPoint | undefined;
  #isMet = false;
  #last: ChainPoint = { sequence: 0, hash: "" };

  /** `expected`: an entry that is known from elsewhere; the chain must lead through it. */
  constructor(hash: AuditHash, expected?: ChainPoint) {
    this.#hash = hash;
    this.#expected = expected;
  }

  /** The last entry that was accepted; sequence 0: none. */
  get last(): ChainPoint {
    return this.#last;
  }

  accept(entry: AuditEntry): ChainProblem | undefined {
    const { sequence } = entry;
    const due = this.#last.sequence + 1;
    if (sequence > due) return { fault: "missing", sequence: due };
    if (this.#hash(auditText(entry)) !== entry.hash) return { fault: "altered", sequence };
    if (sequence < due || entry.previousHash !== this.#last.hash)
      return { fault: "moved", sequence };
    if (this.#expected?.sequence === sequence) this.#isMet = this.#expected.hash === entry.hash;
    this.#last = { sequence, hash: entry.hash };
    return undefined;
  }

  /** After the last entry: whether the chain goes on to its head. */
  end(head: AuditHead | undefined): ChainProblem | undefined {
    const { sequence } = this.#last;
    if (head !== undefined && this.#hash(headText(head)) !== head.tag) {
      return { fault: "head_altered", sequence: head.sequence };
    }
    if (sequence < (head?.sequence ?? 0)) return { fault: "end_missing", sequence: sequence + 1 };
    if (sequence > 0 && head?.hash !== this.#last.hash) return { fault: "head_altered", sequence };
    // Last: what is wrong with the chain itself says more, and a log that was set back tells where.
    if (this.#expected === undefined || this.#isMet) return undefined;
    return { fault: "unexpected", sequence: this.#expected.sequence };
  }
}
