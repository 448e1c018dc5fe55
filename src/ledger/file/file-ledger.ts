import { setTimeout as delay } from "node:timers/promises";
import { KeywardError } from "../../core/errors/keyward-error.ts";
import type { EventId, ProcessId } from "../../core/ids/ids.ts";
import type { CallIntent, UsageEvent } from "../../core/usage/usage-event.ts";
import type { LedgerLog } from "../ledger-log.ts";
import type { EventSink, Ledger, LedgerStatus } from "../ledger.ts";
import { setAsideCorruptLines } from "./corrupt-lines.ts";
import { EventFlusher } from "./event-flusher.ts";
import { type JournalFiles, nodeJournalFiles } from "./journal-files.ts";
import { createJournalFolder, type JournalFolder, removeJournalFolder } from "./journal-folder.ts";
import { encodeEvent, encodeIntent, type WrittenIntent, writeIntent } from "./journal-record.ts";
import { JournalWriter, type Segment, type WrittenPlace } from "./journal-writer.ts";
import { type PendingBatch, PendingEvents } from "./pending-events.ts";
import { type Refusal, RefusalCounter } from "./refusal-counter.ts";

export interface FileLedgerOptions {
  /** Holds one folder per process; on a local disk, because of the locks. */
  readonly directory: string;
  /** Made anew for every start. */
  readonly processId: ProcessId;
  readonly sink: EventSink;
  readonly clock: { nowMs(): number };
  /** Runs work that nobody waits for, so that a shutdown can. */
  readonly tasks: { run(name: string, work: Promise<void>): void };
  readonly log: LedgerLog;
  /** `process` (the default) survives `kill -9`, `disk` also a power loss. */
  readonly durability?: "process" | "disk";
  readonly flushIntervalMs?: number;
  readonly maxSegmentBytes?: number;
  /** Settled events kept in memory while the store is away; what is beyond is read back from the journal. */
  readonly maxEventsInMemory?: number;
  readonly maxRefusalEntries?: number;
  /** How long `close` tries to flush. */
  readonly closeTimeoutMs?: number;
  readonly random?: () => number;
  readonly files?: JournalFiles;
}

const DEFAULT_FLUSH_INTERVAL_MS = 200;
const DEFAULT_MAX_SEGMENT_BYTES = 4 * 1024 * 1024;
const DEFAULT_MAX_EVENTS_IN_MEMORY = 20_000;
const DEFAULT_MAX_REFUSAL_ENTRIES = 10_000;
const DEFAULT_CLOSE_TIMEOUT_MS = 5_000;
/** Intents that wait for the disk; more are refused, so that a disk that hangs does not fill the memory. */
const MAX_QUEUED_RECORDS = 100_000;
const MAX_QUEUED_CARRIES = 1_000;
const CLOSE_RETRY_MS = 250;

/** Makes the process's journal folder, takes its lock and opens the ledger on it. */
export async function openFileLedger(options: FileLedgerOptions): Promise<FileLedger> {
  return new FileLedger(options, await createJournalFolder(options.directory, options.processId));
}

/** An intent that is not settled, and the segment that keeps its newest record once it is written. */
interface OpenCall {
  readonly kind: "opened";
  readonly id: EventId;
  intent: WrittenIntent;
  lineBytes: number;
  segment: Segment | undefined;
}
interface Settlement {
  readonly kind: "settled";
  readonly call: OpenCall;
  readonly event: UsageEvent;
  /** Whether its line is in the writer's queue. */
  isQueued: boolean;
}
/** An open intent written once more, so that its old segment can go. */
interface CarriedCall {
  readonly kind: "carried";
  readonly call: OpenCall;
}
/** An open intent written once more with what has become known of it. */
interface AmendedCall {
  readonly kind: "amended";
  readonly call: OpenCall;
  readonly lineBytes: number;
}
type Entry = OpenCall | Settlement | CarriedCall | AmendedCall;

/** The ledger on a journal of files. See `Ledger` for what it promises, journal-writer.ts for how it writes. */
export class FileLedger implements Ledger {
  readonly #options: FileLedgerOptions;
  readonly #folder: JournalFolder;
  readonly #writer: JournalWriter<Entry>;
  readonly #pending: PendingEvents;
  readonly #refusals: RefusalCounter;
  readonly #flusher: EventFlusher;
  readonly #calls = new Map<EventId, OpenCall>();
  /** Settlements that the journal refused; they are in memory alone. */
  readonly #unjournalled = new Map<EventId, Settlement>();
  /** Bytes of the newest records of all open intents. */
  #openBytes = 0;
  #queuedCarries = 0;
  #closing: Promise<void> | undefined;
  #isClosed = false;

  constructor(options: FileLedgerOptions, folder: JournalFolder) {
    this.#options = options;
    this.#folder = folder;
    this.#writer = new JournalWriter<Entry>({
      folderPath: folder.path,
      files: options.files ?? nodeJournalFiles,
      durability: options.durability ?? "process",
      maxSegmentBytes: options.maxSegmentBytes ?? DEFAULT_MAX_SEGMENT_BYTES,
      log: options.log,
      onWritten: (place, entries) => this.#onWritten(place, entries),
      onFailed: (entries) => this.#onFailed(entries),
    });
    this.#pending = new PendingEvents({
      maxInMemory: options.maxEventsInMemory ?? DEFAULT_MAX_EVENTS_IN_MEMORY,
      segments: () => this.#writer.segments,
      onCorruptLine: (segment, line) => this.#keepCorruptLine(segment, line),
    });
    this.#refusals = new RefusalCounter(options.maxRefusalEntries ?? DEFAULT_MAX_REFUSAL_ENTRIES);
    this.#flusher = new EventFlusher({
      sink: options.sink,
      refusals: this.#refusals,
      intervalMs: options.flushIntervalMs ?? DEFAULT_FLUSH_INTERVAL_MS,
      nowMs: () => options.clock.nowMs(),
      random: options.random ?? Math.random,
      runInBackground: (work) => options.tasks.run("ledger flush", work),
      log: options.log,
      pendingEvents: () => this.#pendingEvents,
      nextBatch: (limit) => this.#nextBatch(limit),
      afterFlush: (error) => this.#afterFlush(error),
    });
  }

  open(intent: CallIntent): Promise<void> {
    if (this.#closing !== undefined) return Promise.reject(shuttingDown());
    if (this.#calls.has(intent.id)) {
      return Promise.reject(new Error(`${intent.id} is open already`));
    }
    if (this.#writer.queuedRecords >= MAX_QUEUED_RECORDS) return Promise.reject(diskTooSlow());
    const written = writeIntent(intent);
    const line = encodeIntent(written);
    const call: OpenCall = {
      kind: "opened",
      id: intent.id,
      intent: written,
      lineBytes: line.length,
      segment: undefined,
    };
    this.#calls.set(intent.id, call);
    return this.#writer.append(line, call);
  }

  amend(intent: CallIntent): Promise<void> {
    if (this.#isClosed) return Promise.reject(shuttingDown());
    const call = this.#calls.get(intent.id);
    if (call === undefined) return Promise.reject(notOpen(intent.id));
    // At once: a copy that is carried from now on stands behind this line, and must not take it back.
    call.intent = writeIntent(intent);
    const line = encodeIntent(call.intent);
    return this.#writer.append(line, { kind: "amended", call, lineBytes: line.length });
  }

  settle(event: UsageEvent): Promise<void> {
    if (this.#isClosed) return Promise.reject(shuttingDown());
    const call = this.#calls.get(event.id);
    if (call === undefined) return Promise.reject(notOpen(event.id));
    const line = encodeEvent(event, call.intent);
    this.#calls.delete(event.id);
    return this.#writer.append(line, { kind: "settled", call, event, isQueued: true });
  }

  countRefusal(refusal: Refusal): void {
    this.#refusals.count(refusal, this.#options.clock.nowMs());
    this.#flusher.arm();
  }

  async flush(): Promise<void> {
    await this.#writer.drain();
    await this.#flusher.flush();
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  status(): LedgerStatus {
    return {
      openIntents: this.#calls.size,
      pendingEvents: this.#pendingEvents,
      journalBytes: this.#writer.journalBytes,
      lastFlushAtMs: this.#flusher.lastFlushAtMs,
      lastFlushError: this.#flusher.lastFlushError,
      flushFailures: this.#flusher.totalFailures,
    };
  }

  get #pendingEvents(): number {
    return this.#pending.count + this.#unjournalled.size;
  }

  #onWritten(place: WrittenPlace, entries: readonly Entry[]): void {
    const events: UsageEvent[] = [];
    for (const entry of entries) {
      if (entry.kind === "opened") {
        this.#pin(entry, place.segment);
      } else if (entry.kind === "settled") {
        entry.isQueued = false;
        this.#unpin(entry.call);
        this.#unjournalled.delete(entry.event.id);
        events.push(entry.event);
      } else {
        if (entry.kind === "carried") this.#queuedCarries -= 1;
        this.#unpin(entry.call);
        if (entry.kind === "amended") entry.call.lineBytes = entry.lineBytes;
        this.#pin(entry.call, place.segment);
      }
    }
    if (events.length > 0) {
      this.#pending.add(place, events);
      this.#flusher.arm();
    }
  }

  #onFailed(entries: readonly Entry[]): void {
    for (const entry of entries) {
      if (entry.kind === "opened") {
        this.#calls.delete(entry.id);
      } else if (entry.kind === "settled") {
        entry.isQueued = false;
        this.#unjournalled.set(entry.event.id, entry);
        this.#flusher.arm();
      } else if (entry.kind === "carried") {
        this.#queuedCarries -= 1;
      }
    }
  }

  #pin(call: OpenCall, segment: Segment): void {
    call.segment = segment;
    segment.openIntents += 1;
    this.#openBytes += call.lineBytes;
  }

  #unpin(call: OpenCall): void {
    if (call.segment === undefined) return;
    call.segment.openIntents -= 1;
    call.segment = undefined;
    this.#openBytes -= call.lineBytes;
  }

  async #nextBatch(limit: number): Promise<PendingBatch | undefined> {
    if (this.#unjournalled.size === 0) return await this.#pending.next(limit);
    const settlements = [...this.#unjournalled.values()].slice(0, limit);
    return {
      events: settlements.map((settlement) => settlement.event),
      confirm: () => {
        for (const settlement of settlements) {
          if (this.#unjournalled.delete(settlement.event.id)) this.#unpin(settlement.call);
        }
      },
    };
  }

  async #afterFlush(error: unknown): Promise<void> {
    if (this.#isClosed) return;
    // Neither the journal nor the store has these, so whichever comes back first shall get them.
    if (error !== undefined) this.#journalAgain();
    try {
      await this.#writer.removeFinished();
    } catch (cause) {
      this.#options.log.error({ err: cause }, "a journal segment could not be deleted");
    }
    this.#carryOpenIntents();
  }

  #journalAgain(): void {
    for (const settlement of this.#unjournalled.values()) {
      if (settlement.isQueued) continue;
      settlement.isQueued = true;
      const { event, call } = settlement;
      this.#writer.enqueue(encodeEvent(event, call.intent), settlement);
    }
  }

  /**
   * A call that lasts for hours holds its segment, and with it all later ones. Once the journal is more than half
   * waste, the oldest segment's open intents are written again at its end, and when the copies are there the segment
   * can go. A crash in between leaves an intent twice, which recovery takes as once. The copy always stands before
   * the settlement, because the writer keeps the order.
   */
  #carryOpenIntents(): void {
    const [oldest, following] = this.#writer.segments;
    if (oldest === undefined || following === undefined) return;
    if (oldest.unflushed > 0 || this.#queuedCarries > 0) return;
    const slackBytes = 2 * (this.#options.maxSegmentBytes ?? DEFAULT_MAX_SEGMENT_BYTES);
    if (this.#writer.journalBytes < 2 * this.#openBytes + slackBytes) return;
    for (const call of this.#calls.values()) {
      if (call.segment !== oldest) continue;
      this.#queuedCarries += 1;
      this.#writer.enqueue(encodeIntent(call.intent), { kind: "carried", call });
      if (this.#queuedCarries === MAX_QUEUED_CARRIES) break;
    }
    // The next flush deletes what is free by then, and goes on.
    if (this.#queuedCarries > 0) this.#flusher.arm();
  }

  async #keepCorruptLine(segment: Segment, line: Buffer): Promise<void> {
    await setAsideCorruptLines(this.#folder.path, segment.number, [line], "append");
    this.#options.log.error({ segment: segment.path }, "a journal line was altered on disk");
  }

  async #close(): Promise<void> {
    try {
      await this.#writer.drain();
      const isFlushed = await this.#flushUntilDeadline();
      this.#isClosed = true;
      this.#flusher.stop();
      await this.#writer.close();
      if (isFlushed && this.#calls.size === 0 && this.#pendingEvents === 0) {
        await this.#writer.removeFinished();
        await removeJournalFolder(this.#options.directory, this.#folder);
        return;
      }
      this.#options.log.warn(
        { openIntents: this.#calls.size, pendingEvents: this.#pendingEvents },
        "the journal stays for recovery",
      );
    } finally {
      this.#folder.lock.release();
    }
  }

  /** False when the store did not take everything in time. */
  async #flushUntilDeadline(): Promise<boolean> {
    const timeoutMs = this.#options.closeTimeoutMs ?? DEFAULT_CLOSE_TIMEOUT_MS;
    const stop = new AbortController();
    const deadline = delay(timeoutMs, "late" as const, { signal: stop.signal });
    try {
      for (;;) {
        const attempt = this.#flusher.flush().then(
          () => "flushed" as const,
          () => "failed" as const,
        );
        const outcome = await Promise.race([attempt, deadline]);
        if (outcome !== "failed") return outcome === "flushed";
        const pause = delay(CLOSE_RETRY_MS, "failed" as const, { ref: false });
        if ((await Promise.race([pause, deadline])) === "late") return false;
      }
    } finally {
      stop.abort();
      await deadline.catch(() => {
        // Aborted above, so that no timer outlives the ledger.
      });
    }
  }
}

function notOpen(id: EventId): Error {
  return new Error(`${id} is not open, or was settled already`);
}

function shuttingDown(): KeywardError {
  return new KeywardError(
    "shutting_down",
    "The gateway is stopping and takes no new calls. Try again.",
  );
}

function diskTooSlow(): KeywardError {
  return new KeywardError(
    "journal_unavailable",
    "The gateway's journal cannot keep up at the moment. Try again shortly.",
    { detail: `${MAX_QUEUED_RECORDS} journal records wait for the disk` },
  );
}
