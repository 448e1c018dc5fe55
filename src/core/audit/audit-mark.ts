/**
 * How far the audit log is known to have come, kept where the database isn't. The chain alone can't tell that its end was
 * cut off and an older head put back; what has seen the later entry can.
 */
import { type AuditEntry, auditText, type AuditHash, type AuditHead } from "./audit-entry.ts";
import type { ChainPoint, ChainProblem } from "./verify-chain.ts";

/** The newest entry that was seen in the database, tagged so that who has no key can't make another. */
export interface AuditMark extends ChainPoint {
  readonly tag: string;
}

export function createMark({ sequence, hash }: ChainPoint, hashOf: AuditHash): AuditMark {
  return { sequence, hash, tag: hashOf(markText({ sequence, hash })) };
}

/** What the database has of the log, as far as it concerns a mark. */
interface FoundChain {
  readonly head: AuditHead | undefined;
  /** In the marked one's place. */
  readonly entry: AuditEntry | undefined;
}

/** What is wrong with a log by the mark of it; undefined: it goes on from there. */
export function problemByMark(
  mark: AuditMark,
  { head, entry }: FoundChain,
  hashOf: AuditHash,
): ChainProblem | undefined {
  const { sequence } = mark;
  if (hashOf(markText(mark)) !== mark.tag) return { fault: "mark_foreign", sequence };
  if (entry === undefined || head === undefined || head.sequence < sequence) {
    return { fault: "cut", sequence };
  }
  // Made anew: the hash in the row may be copied from the true one.
  return hashOf(auditText(entry)) === mark.hash ? undefined : { fault: "replaced", sequence };
}

function markText({ sequence, hash }: ChainPoint): string {
  return JSON.stringify(["mark", sequence, hash]);
}
