import { randomBytes } from "node:crypto";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { copyJournal } from "../../../test/support/copy-journal.ts";
import { MemoryEventSink } from "../../../test/support/memory-event-sink.ts";
import { sampleEvent, sampleIntent } from "../../../test/support/sample-calls.ts";
import { IdFactory } from "../../core/ids/ids.ts";
import { picos } from "../../core/money/picos.ts";
import { type FileLedger, openFileLedger } from "./file-ledger.ts";
import { recoverJournals } from "./recover-journals.ts";

const ids = new IdFactory({ nowMs: Date.now, randomBytes });
const log = { info: () => {}, warn: () => {}, error: () => {} };
const processId = ids.create("prc");

let root: string;
let live: string;
let crashed: string;
let ledger: FileLedger;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "recovery-"));
  live = join(root, "live");
  crashed = join(root, "crashed");
  ledger = await openFileLedger({
    directory: live,
    processId,
    sink: new MemoryEventSink(),
    clock: { nowMs: Date.now },
    tasks: { run: () => {} },
    log,
    flushIntervalMs: 1_000_000,
  });
});

afterEach(async () => {
  await ledger.close();
  await rm(root, { recursive: true, force: true });
});

describe("recoverJournals", () => {
  test("stores settlements as they were, and intents without one as unknown at the price of their hold", async () => {
    const settled = sampleIntent(ids);
    const open = sampleIntent(ids, { holdPicos: picos(42n) });
    await Promise.all([ledger.open(settled), ledger.open(open)]);
    await ledger.settle(sampleEvent(settled));
    await copyJournal(live, crashed, processId);

    const sink = new MemoryEventSink();
    expect(await recoverJournals({ directory: crashed, sink, log })).toEqual({
      processes: 1,
      settledEvents: 1,
      unknownEvents: 1,
      tornLines: 0,
      corruptLines: 0,
    });
    expect(sink.events.get(settled.id)).toEqual(sampleEvent(settled));
    expect(sink.events.get(open.id)).toEqual({
      ...open,
      status: "unknown",
      httpStatus: null,
      durationMs: 0,
      firstByteMs: null,
      providerResponseId: null,
      servedModel: null,
      serviceTier: null,
      usageSource: "unknown",
      quantities: {},
      pricing: "unpriced",
      costPicos: 42n,
      pricePicos: 0n,
      priceRowId: null,
    });
    expect(await readdir(crashed)).toEqual(["lock"]);
  });

  test("leaves the journal of a living process alone", async () => {
    await ledger.open(sampleIntent(ids));
    const sink = new MemoryEventSink();
    expect(await recoverJournals({ directory: live, sink, log })).toMatchObject({ processes: 0 });
    expect(sink.events.size).toBe(0);
    expect(ledger.status().openIntents).toBe(1);
  });

  test("finds nothing where there is no directory", async () => {
    const sink = new MemoryEventSink();
    expect(await recoverJournals({ directory: join(root, "none"), sink, log })).toMatchObject({
      processes: 0,
    });
  });
});
