import { setImmediate as nextTick } from "node:timers/promises";
import { KeywardError } from "../../core/errors/keyward-error.ts";
import type { LedgerLog } from "../ledger-log.ts";
import type { JournalFile, JournalFiles } from "./journal-files.ts";
import { segmentPath } from "./journal-folder.ts";
import { encodeHeader, type SegmentExtent } from "./journal-record.ts";

/** One file of the journal. Its owner counts what keeps it from being deleted. */
export class Segment {
  readonly number: number;
  readonly path: string;
  /** Acknowledged bytes; the next write goes here. */
  bytes = 0;
  /** Intents whose only record on disk is in this segment, not settled yet. */
  openIntents = 0;
  /** Settlements in this segment that are not in the store yet. */
  unflushed = 0;

  constructor(folderPath: string, number: number) {
    this.number = number;
    this.path = segmentPath(folderPath, number);
  }
}

/** Where a batch of lines stands: its segment, and the byte its first line starts at. */
export interface WrittenPlace {
  readonly segment: Segment;
  readonly offset: number;
  /** The byte behind its last line. */
  readonly end: number;
}

export interface JournalWriterOptions<Entry> {
  readonly folderPath: string;
  readonly files: JournalFiles;
  /** `process` survives the end of the process, `disk` also a power loss. */
  readonly durability: "process" | "disk";
  /** A segment is finished by the write that reaches this size. */
  readonly maxSegmentBytes: number;
  readonly log: LedgerLog;
  /** Called before the promises of the entries resolve. */
  onWritten(place: WrittenPlace, entries: readonly Entry[]): void;
  /** Called before the promises of the entries reject. Nothing of them stays in the journal. */
  onFailed(entries: readonly Entry[]): void;
}

const MAX_BATCH_RECORDS = 500;
const MAX_BATCH_CHARACTERS = 1024 * 1024;

/**
 * Appends lines to segments, one write at a time; what arrives meanwhile goes with the next write (group commit). All
 * entries of a batch share one promise.
 *
 * A write that fails must leave nothing behind: its lines were refused, so recovery may not find them. The segment is
 * cut back to its last acknowledged byte. Where even that fails it is given up, and the header of the next segment
 * says how far it counts; segments are therefore deleted in order, oldest first. After a failed sync the pages on
 * disk are unknown and a later sync may lie, so that segment is given up too. The next write tries anew: when the
 * disk is well again, so is the journal.
 */
export class JournalWriter<Entry> {
  readonly #options: JournalWriterOptions<Entry>;
  readonly #segments: Segment[] = [];
  readonly #queue: Batch<Entry>[] = [];
  #active: { readonly segment: Segment; readonly file: JournalFile } | undefined;
  #lastNumber = 0;
  #journalBytes = 0;
  #queuedRecords = 0;
  #abandoned: SegmentExtent[] = [];
  /** Being written; not in the queue any more. */
  #current: Batch<Entry> | undefined;
  /** Resolves when the queue is empty. */
  #pumping: Promise<void> | undefined;

  constructor(options: JournalWriterOptions<Entry>) {
    this.#options = options;
  }

  /** Oldest first; the last one may be the active one. */
  get segments(): readonly Segment[] {
    return this.#segments;
  }

  /** Bytes of all segments together. */
  get journalBytes(): number {
    return this.#journalBytes;
  }

  /** Lines that wait for a write. */
  get queuedRecords(): number {
    return this.#queuedRecords;
  }

  /** Resolves when the line is written; rejects with KeywardError `journal_unavailable`. */
  append(line: string, entry: Entry): Promise<void> {
    return this.#push(line, entry).promise();
  }

  /** As `append`, for entries that nobody waits for: they hear from `onWritten` and `onFailed` alone. */
  enqueue(line: string, entry: Entry): void {
    this.#push(line, entry);
  }

  /** Resolves when everything queued so far is written or refused, whatever is queued meanwhile. */
  async drain(): Promise<void> {
    await (this.#queue.at(-1) ?? this.#current)?.ended();
  }

  /** Deletes the oldest segments that hold nothing needed. Never the active one. */
  async removeFinished(): Promise<void> {
    for (;;) {
      const oldest = this.#segments[0];
      if (oldest === undefined || oldest === this.#active?.segment) return;
      if (oldest.openIntents > 0 || oldest.unflushed > 0) return;
      await this.#options.files.remove(oldest.path);
      this.#segments.shift();
      this.#journalBytes -= oldest.bytes;
    }
  }

  /** Closes the active segment; nothing may be appended any more. */
  async close(): Promise<void> {
    await this.#pumping;
    await this.#finishActive();
  }

  #push(line: string, entry: Entry): Batch<Entry> {
    let batch = this.#queue.at(-1);
    if (batch === undefined || batch.isFull) {
      batch = new Batch();
      this.#queue.push(batch);
    }
    batch.add(line, entry);
    this.#queuedRecords += 1;
    this.#pumping ??= this.#pump();
    return batch;
  }

  /** Never rejects. */
  async #pump(): Promise<void> {
    while (this.#queue.length > 0) {
      // The sockets that are readable now are read first, so that their records share the write.
      await nextTick();
      this.#current = this.#queue.shift();
      if (this.#current === undefined) break;
      this.#queuedRecords -= this.#current.entries.length;
      await this.#writeBatch(this.#current);
      this.#current = undefined;
    }
    this.#pumping = undefined;
  }

  async #writeBatch(batch: Batch<Entry>): Promise<void> {
    let place: WrittenPlace;
    try {
      place = await this.#write(batch.text);
    } catch (error) {
      this.#options.onFailed(batch.entries);
      batch.reject(journalUnavailable(error));
      return;
    }
    // In one step, so that nobody reads acknowledged bytes whose entries are not counted yet.
    this.#journalBytes += place.end - place.segment.bytes;
    place.segment.bytes = place.end;
    this.#options.onWritten(place, batch.entries);
    batch.resolve();
  }

  async #write(text: string): Promise<WrittenPlace> {
    if ((this.#active?.segment.bytes ?? 0) >= this.#options.maxSegmentBytes) {
      await this.#finishActive();
    }
    if (this.#active === undefined) return await this.#writeFirst(text);
    const { segment, file } = this.#active;
    const offset = segment.bytes;
    const bytes = Buffer.from(text);
    let isWritten = false;
    try {
      writeFully(file, bytes, offset);
      isWritten = true;
      if (this.#options.durability === "disk") await file.syncData();
    } catch (error) {
      await this.#cutBack(isWritten);
      throw error;
    }
    return { segment, offset, end: offset + bytes.length };
  }

  /** A segment comes into being with its header and its first batch in one write, or not at all. */
  async #writeFirst(text: string): Promise<WrittenPlace> {
    const { files, folderPath, durability } = this.#options;
    const header = encodeHeader(this.#abandoned);
    const segment = new Segment(folderPath, this.#lastNumber + 1);
    const file = await files.create(segment.path);
    const bytes = Buffer.from(header + text);
    try {
      writeFully(file, bytes, 0);
      if (durability === "disk") {
        await file.syncData();
        await files.syncDirectory(folderPath);
      }
    } catch (error) {
      await this.#discard(segment, file);
      throw error;
    }
    this.#lastNumber = segment.number;
    this.#abandoned = [];
    this.#segments.push(segment);
    this.#active = { segment, file };
    return { segment, offset: header.length, end: bytes.length };
  }

  /** After a failed write to the active segment. */
  async #cutBack(hasSyncFailed: boolean): Promise<void> {
    if (this.#active === undefined) return;
    const { segment, file } = this.#active;
    try {
      await file.truncate(segment.bytes);
      if (!hasSyncFailed) return;
      this.#abandon(segment, undefined);
    } catch (error) {
      this.#abandon(segment, error);
    }
    await this.#finishActive();
  }

  /** After a failed first write: the file goes, and its number with it. */
  async #discard(segment: Segment, file: JournalFile): Promise<void> {
    await this.#close(segment, file);
    try {
      await this.#options.files.remove(segment.path);
    } catch (error) {
      this.#lastNumber = segment.number;
      this.#segments.push(segment);
      this.#abandon(segment, error);
    }
  }

  #abandon(segment: Segment, error: unknown): void {
    this.#abandoned.push({ segment: segment.number, bytes: segment.bytes });
    this.#options.log.error(
      { err: error, segment: segment.path, bytes: segment.bytes },
      "a journal segment is given up after a failed write; going on in a new one",
    );
  }

  async #finishActive(): Promise<void> {
    const active = this.#active;
    this.#active = undefined;
    if (active !== undefined) await this.#close(active.segment, active.file);
  }

  async #close(segment: Segment, file: JournalFile): Promise<void> {
    try {
      await file.close();
    } catch (error) {
      this.#options.log.warn(
        { err: error, segment: segment.path },
        "a journal segment did not close",
      );
    }
  }
}

/** The lines of one write. */
class Batch<Entry> {
  readonly entries: Entry[] = [];
  text = "";
  // Made only when somebody waits: a rejected promise that nobody has would end the process.
  #waiters: PromiseWithResolvers<void> | undefined;
  #ended: PromiseWithResolvers<void> | undefined;

  get isFull(): boolean {
    return this.entries.length >= MAX_BATCH_RECORDS || this.text.length >= MAX_BATCH_CHARACTERS;
  }

  add(line: string, entry: Entry): void {
    this.text += line;
    this.entries.push(entry);
  }

  /** Resolves when the batch is written, rejects when it is refused. */
  promise(): Promise<void> {
    this.#waiters ??= Promise.withResolvers<void>();
    return this.#waiters.promise;
  }

  /** Resolves when the batch is written or refused. */
  ended(): Promise<void> {
    this.#ended ??= Promise.withResolvers<void>();
    return this.#ended.promise;
  }

  resolve(): void {
    this.#waiters?.resolve();
    this.#ended?.resolve();
  }

  reject(error: KeywardError): void {
    this.#waiters?.reject(error);
    this.#ended?.resolve();
  }
}

function writeFully(file: JournalFile, bytes: Buffer, position: number): void {
  for (let written = 0; written < bytes.length;) {
    const taken = file.write(bytes.subarray(written), position + written);
    if (taken <= 0) throw new Error("the file system took no bytes and gave no reason");
    written += taken;
  }
}

function journalUnavailable(cause: unknown): KeywardError {
  return new KeywardError(
    "journal_unavailable",
    "The gateway cannot write its journal at the moment. Try again; an operator should look at the disk of its data directory.",
    { detail: cause instanceof Error ? cause.message : String(cause), cause },
  );
}
