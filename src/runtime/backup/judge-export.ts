/**
 * Whether an export of the audit log tells all that came after a backup. What it does not tell of was ended stays let in, so an export
 * that lacks entries is not taken in silence.
 */
import type { AuditEntry } from "../../core/audit/audit-entry.ts";
import type { AuditedStore } from "../../store/audited-store.ts";

/** Entries from one sequence to another, both included. */
type Span = readonly [from: number, to: number];

/** What an export has. */
export interface ExportExtent {
  readonly entries: number;
  readonly firstSequence: number;
  readonly last: Pick<AuditEntry, "sequence" | "atMs" | "hash">;
  /** Between the first and the last. */
  readonly missing: readonly Span[];
}

/** Takes in entries in any order, each as often as it comes. */
export class ExtentReader {
  readonly #sequences = new Set<number>();
  #last: AuditEntry | undefined;

  add(entry: AuditEntry): void {
    this.#sequences.add(entry.sequence);
    if (this.#last === undefined || entry.sequence > this.#last.sequence) this.#last = entry;
  }

  /** Undefined: there was none. */
  get extent(): ExportExtent | undefined {
    if (this.#last === undefined) return undefined;
    const sorted = [...this.#sequences].toSorted((one, other) => one - other);
    const missing: Span[] = [];
    for (const [place, sequence] of sorted.entries()) {
      const before = sorted[place - 1];
      if (before !== undefined && sequence > before + 1) missing.push([before + 1, sequence - 1]);
    }
    const { sequence, atMs, hash } = this.#last;
    const firstSequence = sorted[0] ?? sequence;
    const last = { sequence, atMs, hash };
    return { entries: sorted.length, firstSequence, last, missing };
  }
}

/** What the export lacks of what came after the database's end, as far as it can be told: parts of a sentence, none where it is whole. */
export async function findLacks(extent: ExportExtent, store: AuditedStore): Promise<string[]> {
  const head = await store.audit.findHead();
  const after = (head?.sequence ?? 0) + 1;
  const { firstSequence, last, missing } = extent;
  const spans: Span[] = firstSequence > after ? [[after, firstSequence - 1]] : [];
  // What lies before is in the database.
  spans.push(...missing.filter(([, to]) => to >= after));
  const lacks = spans.slice(0, MAX_SHOWN).map(describeSpan);
  if (spans.length > MAX_SHOWN) lacks.push(`${spans.length - MAX_SHOWN} more such gaps`);
  const { mark, problem } = await store.followLog();
  // One that this database has come to is of the log as it went on; a foreign one may be of any number.
  const isOfLostLog = problem !== undefined && problem.fault !== "mark_foreign";
  if (mark !== undefined && isOfLostLog && mark.sequence > last.sequence) {
    lacks.push(`all after entry ${last.sequence}: this data directory has seen ${mark.sequence}`);
  } else if (last.sequence < after - 1) {
    const known = await store.audit.findBySequence(last.sequence);
    if (known?.hash === last.hash) {
      lacks.push(`all after entry ${last.sequence}, which the database itself has more than`);
    }
  }
  return lacks;
}

const MAX_SHOWN = 5;

function describeSpan([from, to]: Span): string {
  return from === to ? `entry ${from}` : `entries ${from} to ${to}`;
}
