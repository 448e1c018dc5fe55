import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { IdFactory, type ProcessId } from "../../src/core/ids/ids.ts";
import {
  type FileLedger,
  type FileLedgerOptions,
  openFileLedger,
} from "../../src/ledger/file/file-ledger.ts";
import { recoverJournals } from "../../src/ledger/file/recover-journals.ts";
import type { EventSink, RecoveryReport } from "../../src/ledger/ledger.ts";
import { copyJournal } from "./copy-journal.ts";
import { MemoryEventSink } from "./memory-event-sink.ts";

export const ids = new IdFactory({ nowMs: Date.now, randomBytes });

/** So long that a ledger under test flushes only when it is asked to. */
export const NEVER_MS = 1_000_000;

/** Keeps what was logged, a line each. */
export class LogOfTest {
  readonly lines: string[] = [];
  info(_: unknown, message: string): void {
    this.lines.push(`info: ${message}`);
  }
  warn(_: unknown, message: string): void {
    this.lines.push(`warn: ${message}`);
  }
  error(_: unknown, message: string): void {
    this.lines.push(`error: ${message}`);
  }
}

/** A ledger on a directory of its own, and the crash it can have. */
export interface LedgerUnderTest {
  readonly ledger: FileLedger;
  readonly processId: ProcessId;
  readonly directory: string;
  readonly sink: MemoryEventSink;
  readonly log: LogOfTest;
  /** Recovers the journal as a crash at this moment would leave it, into `sink` (by default the ledger's own). */
  recoverAfterCrash(sink?: EventSink): Promise<RecoveryReport>;
  /** Closes the ledger and removes the directory. */
  dispose(): Promise<void>;
}

export async function startLedger(
  change: Partial<FileLedgerOptions> = {},
): Promise<LedgerUnderTest> {
  const root = await mkdtemp(join(tmpdir(), "ledger-"));
  const directory = join(root, "live");
  const processId = ids.create("prc");
  const sink = new MemoryEventSink();
  const log = new LogOfTest();
  const ledger = await openFileLedger({
    directory,
    processId,
    sink,
    clock: { nowMs: Date.now },
    tasks: { run: () => {} },
    log,
    flushIntervalMs: NEVER_MS,
    closeTimeoutMs: 50,
    ...change,
  });
  let crashes = 0;
  return {
    ledger,
    processId,
    directory,
    sink,
    log,
    async recoverAfterCrash(into = sink) {
      crashes += 1;
      const crashed = join(root, `crash-${crashes}`);
      copyJournal(directory, crashed, processId);
      return await recoverJournals({ directory: crashed, sink: into, log });
    },
    async dispose() {
      await ledger.close();
      await rm(root, { recursive: true, force: true });
    },
  };
}
