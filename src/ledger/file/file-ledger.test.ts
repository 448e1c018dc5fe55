import { randomBytes } from "node:crypto";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { MemoryEventSink } from "../../../test/support/memory-event-sink.ts";
import { sampleEvent, sampleIntent } from "../../../test/support/sample-calls.ts";
import { IdFactory } from "../../core/ids/ids.ts";
import type { UsageEvent } from "../../core/usage/usage-event.ts";
import { type FileLedger, type FileLedgerOptions, openFileLedger } from "./file-ledger.ts";
import { recoverJournals } from "./recover-journals.ts";

const ids = new IdFactory({ nowMs: Date.now, randomBytes });
const silent = { info: () => {}, warn: () => {}, error: () => {} };
const NEVER_MS = 1_000_000;

let directory: string;
let sink: MemoryEventSink;
let ledgers: FileLedger[];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "ledger-"));
  sink = new MemoryEventSink();
  ledgers = [];
});

afterEach(async () => {
  await Promise.all(ledgers.map((ledger) => ledger.close()));
  await rm(directory, { recursive: true, force: true });
});

async function openLedger(change: Partial<FileLedgerOptions> = {}): Promise<FileLedger> {
  const ledger = await openFileLedger({
    directory,
    processId: ids.create("prc"),
    sink,
    clock: { nowMs: Date.now },
    tasks: { run: () => {} },
    log: silent,
    flushIntervalMs: NEVER_MS,
    closeTimeoutMs: 50,
    ...change,
  });
  ledgers.push(ledger);
  return ledger;
}

async function callOnce(ledger: FileLedger, change: Partial<UsageEvent> = {}): Promise<UsageEvent> {
  const intent = sampleIntent(ids);
  await ledger.open(intent);
  const event = sampleEvent(intent, change);
  await ledger.settle(event);
  return event;
}

describe("FileLedger", () => {
  test("brings a settled event into the store as it was given", async () => {
    const ledger = await openLedger();
    const event = await callOnce(ledger);
    expect(ledger.status()).toMatchObject({
      openIntents: 0,
      pendingEvents: 1,
      lastFlushAtMs: null,
    });
    await ledger.flush();
    expect([...sink.events.values()]).toEqual([event]);
    expect(ledger.status()).toMatchObject({ pendingEvents: 0, lastFlushError: null });
    await ledger.close();
    expect(await readdir(directory)).toEqual(["lock"]);
    expect(await recoverJournals({ directory, sink, log: silent })).toMatchObject({ processes: 0 });
  });

  test("flushes by itself", async () => {
    const ledger = await openLedger({ flushIntervalMs: 1 });
    await callOnce(ledger);
    await vi.waitFor(() => expect(sink.events.size).toBe(1));
    ledger.countRefusal({ code: "invalid_api_key", gatewayKeyId: null, customer: null });
    await vi.waitFor(() => expect(sink.refusals).toHaveLength(1));
  });
});
