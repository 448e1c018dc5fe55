import { open, rm } from "node:fs/promises";
import type { Lending } from "../../core/budgets/lease.ts";
import type { EventId, ProcessId } from "../../core/ids/ids.ts";
import type { CallIntent, UsageEvent } from "../../core/usage/usage-event.ts";
import type { LedgerLog } from "../ledger-log.ts";
import type { EventSink, RecoveryReport } from "../ledger.ts";
import { unknownEvent } from "../unknown-event.ts";
import { setAsideCorruptLines } from "./corrupt-lines.ts";
import {
  listJournals,
  listSegments,
  removeJournalFolder,
  segmentPath,
  takeJournalFolder,
} from "./journal-folder.ts";
import { readSegmentBlock, type SegmentBlock } from "./segment-reader.ts";

export interface RecoverJournalsOptions {
  /** As given to `openFileLedger`. */
  readonly directory: string;
  readonly sink: EventSink;
  readonly log: LedgerLog;
  /** Journals that are not even looked at: one's own, and those of a newer Keyward that were found before. */
  readonly skipped?: ReadonlySet<ProcessId>;
  /**
   * Called when all that a journal says is in the store, before it is deleted: a failure keeps it, and it is called
   * again the next time.
   */
  readonly onRecovered?: (processId: ProcessId) => Promise<void>;
  /** Called for each journal that is left alone because a newer Keyward has written it. */
  readonly onLeftAlone?: (processId: ProcessId) => void;
}

const MAX_BATCH_EVENTS = 1000;
const HEADER_BYTES = 64 * 1024;

/**
 * Brings the journals of processes that are gone into the store: settlements as they are, intents without one as
 * events of status `unknown`. A journal whose process lives is left alone; one written by a newer Keyward too.
 *
 * It may be killed anywhere and repeated, and two may run at once: a folder belongs to whoever holds its lock, it is
 * deleted only when everything is in the store, oldest segment first, and the store takes every id once. A journal
 * that fails does not keep the others back; in the end the first error is thrown, and what failed waits for the next
 * time.
 */
export async function recoverJournals(options: RecoverJournalsOptions): Promise<RecoveryReport> {
  const total = { processes: 0, settledEvents: 0, unknownEvents: 0, tornLines: 0, corruptLines: 0 };
  const errors: unknown[] = [];
  for (const processId of await listJournals(options.directory)) {
    if (options.skipped?.has(processId) === true) continue;
    try {
      const found = await recoverJournal(options, processId);
      if (found === undefined) continue;
      total.processes += 1;
      total.settledEvents += found.settledEvents;
      total.unknownEvents += found.unknownEvents;
      total.tornLines += found.tornLines;
      total.corruptLines += found.corruptLines;
    } catch (error) {
      options.log.error({ err: error, processId }, "a journal could not be recovered; it stays");
      errors.push(error);
    }
  }
  if (errors.length > 0) throw errors[0];
  return total;
}

/** Undefined when its owner lives, or this version cannot read it. */
async function recoverJournal(
  options: RecoverJournalsOptions,
  processId: ProcessId,
): Promise<Replay | undefined> {
  const folder = await takeJournalFolder(options.directory, processId);
  if (folder === undefined) return undefined;
  try {
    const replay = new Replay(options, folder.path, processId);
    const segments = await listSegments(folder.path);
    await replay.run(segments);
    await options.onRecovered?.(processId);
    for (const segment of segments) await rm(segmentPath(folder.path, segment), { force: true });
    await removeJournalFolder(options.directory, folder);
    return replay;
  } catch (error) {
    if (!(error instanceof NewerJournalError)) throw error;
    options.log.error(
      { journal: folder.path, version: error.version },
      "a journal was written by a newer Keyward and is left alone; start that version to recover it",
    );
    options.onLeftAlone?.(processId);
    return undefined;
  } finally {
    folder.lock.release();
  }
}

class NewerJournalError extends Error {
  readonly version: number;
  constructor(version: number) {
    super(`the journal's format is version ${version}`);
    this.version = version;
  }
}

/** One journal's way into the store, in one pass: an intent's settlement always stands behind it. */
class Replay {
  settledEvents = 0;
  unknownEvents = 0;
  tornLines = 0;
  corruptLines = 0;
  readonly #options: RecoverJournalsOptions;
  readonly #folderPath: string;
  /** What these calls were held from are the leases of the process that is gone. */
  readonly #lending: Lending;
  readonly #openIntents = new Map<EventId, CallIntent>();
  #batch: UsageEvent[] = [];

  constructor(options: RecoverJournalsOptions, folderPath: string, processId: ProcessId) {
    this.#options = options;
    this.#folderPath = folderPath;
    this.#lending = { holder: processId };
  }

  async run(segments: readonly number[]): Promise<void> {
    const extents = await this.#readExtents(segments);
    for (const segment of segments) {
      await this.#replaySegment(segment, extents.get(segment) ?? Infinity);
    }
    for (const intent of this.#openIntents.values()) {
      this.unknownEvents += 1;
      await this.#insert(unknownEvent(intent));
    }
    await this.#insertBatch();
  }

  /** How far segments count that were given up after a failed write; the headers of later ones say so. */
  async #readExtents(segments: readonly number[]): Promise<ReadonlyMap<number, number>> {
    const extents = new Map<number, number>();
    for (const segment of segments) {
      const file = await open(segmentPath(this.#folderPath, segment), "r");
      try {
        const record = (await readSegmentBlock(file, 0, HEADER_BYTES)).lines[0]?.record;
        if (record?.kind === "unsupported") throw new NewerJournalError(record.version);
        if (record?.kind !== "header") continue;
        for (const one of record.abandoned) extents.set(one.segment, one.bytes);
      } finally {
        await file.close();
      }
    }
    return extents;
  }

  async #replaySegment(segment: number, extent: number): Promise<void> {
    const corrupt: Buffer[] = [];
    const file = await open(segmentPath(this.#folderPath, segment), "r");
    try {
      const end = Math.min((await file.stat()).size, extent);
      for (let offset = 0; offset < end;) {
        const block = await readSegmentBlock(file, offset, end);
        await this.#replayBlock(block, corrupt);
        offset = block.nextOffset;
      }
    } finally {
      await file.close();
    }
    if (corrupt.length === 0) return;
    this.corruptLines += corrupt.length;
    await setAsideCorruptLines(this.#folderPath, segment, corrupt, "replace");
    this.#options.log.error(
      { journal: this.#folderPath, segment, lines: corrupt.length },
      "journal lines were altered on disk; they are kept beside the journal",
    );
  }

  async #replayBlock(block: SegmentBlock, corrupt: Buffer[]): Promise<void> {
    for (const [index, { bytes, record }] of block.lines.entries()) {
      if (record === undefined) {
        const isTorn = block.isLastLineOpen && index === block.lines.length - 1;
        if (isTorn) this.tornLines += 1;
        else corrupt.push(Buffer.from(bytes));
      } else if (record.kind === "unsupported") {
        throw new NewerJournalError(record.version);
      } else if (record.kind === "opened") {
        this.#openIntents.set(record.intent.id, record.intent);
      } else if (record.kind === "settled") {
        this.#openIntents.delete(record.event.id);
        this.settledEvents += 1;
        await this.#insert(record.event);
      }
    }
  }

  async #insert(event: UsageEvent): Promise<void> {
    this.#batch.push(event);
    if (this.#batch.length >= MAX_BATCH_EVENTS) await this.#insertBatch();
  }

  async #insertBatch(): Promise<void> {
    const events = this.#batch;
    this.#batch = [];
    if (events.length > 0)
      await this.#options.sink.insertBatch({ events, refusals: [], lending: this.#lending });
  }
}
