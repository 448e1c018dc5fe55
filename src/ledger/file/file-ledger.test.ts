import { open, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  ids,
  type LedgerUnderTest,
  NEVER_MS,
  startLedger,
} from "../../../test/support/ledger-under-test.ts";
import { MemoryEventSink } from "../../../test/support/memory-event-sink.ts";
import { until } from "../../../test/support/poll.ts";
import { sampleEvent, sampleIntent } from "../../../test/support/sample-calls.ts";
import type { CallIntent, UsageEvent } from "../../core/usage/usage-event.ts";
import { type FileLedgerOptions, openFileLedger } from "./file-ledger.ts";
import { recoverJournals } from "./recover-journals.ts";

const REFUSAL = { code: "invalid_api_key", gatewayKeyId: null, customer: null };
const HOUR_MS = 3_600_000;

let under: LedgerUnderTest;

beforeEach(async () => {
  under = await startLedger();
});
afterEach(async () => {
  await under.dispose();
});

async function restart(change: Partial<FileLedgerOptions>): Promise<void> {
  await under.dispose();
  under = await startLedger(change);
}

async function openCall(): Promise<CallIntent> {
  const intent = sampleIntent(ids);
  await under.ledger.open(intent);
  return intent;
}

async function callOnce(change: Partial<UsageEvent> = {}): Promise<UsageEvent> {
  const event = sampleEvent(await openCall(), change);
  await under.ledger.settle(event);
  return event;
}

async function callMany(count: number, concurrency = 500): Promise<void> {
  const template = sampleIntent(ids);
  let left = count;
  const caller = async () => {
    while (left > 0) {
      left -= 1;
      const intent = { ...template, id: ids.create("evt") };
      await under.ledger.open(intent);
      await under.ledger.settle(sampleEvent(intent));
    }
  };
  await Promise.all(Array.from({ length: concurrency }, caller));
}

describe("FileLedger", () => {
  test("brings a settled event into the store as it was given, and then leaves nothing behind", async () => {
    const event = await callOnce();
    expect(under.ledger.status()).toMatchObject({
      openIntents: 0,
      pendingEvents: 1,
      lastFlushAtMs: null,
      lastFlushError: null,
    });
    await under.ledger.flush();
    expect([...under.sink.events.values()]).toEqual([event]);
    expect(under.ledger.status().pendingEvents).toBe(0);
    await under.ledger.close();
    expect(await readdir(under.directory)).toEqual(["lock"]);
  });

  test("flushes by itself when there is something to flush, and only then", async () => {
    await restart({ flushIntervalMs: 1 });
    const event = await callOnce();
    await until("the flush", () => under.sink.events.has(event.id));
    under.ledger.countRefusal(REFUSAL);
    await until("the second flush", () => under.sink.refusals.length === 1);
    expect(under.sink.batches).toBe(2);
  });

  test("refuses to open what is open and to settle what is not", async () => {
    const intent = await openCall();
    await expect(under.ledger.open(intent)).rejects.toThrow("open already");
    await under.ledger.settle(sampleEvent(intent));
    await expect(under.ledger.settle(sampleEvent(intent))).rejects.toThrow("settled already");
    await expect(under.ledger.settle(sampleEvent(sampleIntent(ids)))).rejects.toThrow("not open");
    await under.ledger.flush();
    expect(under.sink.events.size).toBe(1);
  });

  test("flushes in bounded batches", async () => {
    await callMany(2_600);
    await under.ledger.flush();
    expect(under.sink.events.size).toBe(2_600);
    expect(under.sink.largestBatch).toBeLessThanOrEqual(2_000);
  });

  test("offers nothing twice to a store that works", async () => {
    await restart({ flushIntervalMs: 1, maxSegmentBytes: 20_000, maxEventsInMemory: 50 });
    await callMany(3_000, 100);
    await under.ledger.flush();
    expect(under.sink.events.size).toBe(3_000);
    expect(under.sink.offered).toBe(3_000);
  });

  test("keeps everything while the store is away, says so, and goes on when it is back", async () => {
    await restart({ flushIntervalMs: 1 });
    under.sink.failure = "fail";
    await callMany(10);
    await until("a failed flush", () => under.ledger.status().lastFlushError !== null);
    expect(under.ledger.status()).toMatchObject({
      pendingEvents: 10,
      lastFlushAtMs: null,
      lastFlushError: "the database is away",
    });
    under.sink.failure = "none";
    await until("the flush", () => under.sink.events.size === 10);
    await until("the status", () => under.ledger.status().lastFlushError === null);
    expect(under.ledger.status().lastFlushAtMs).not.toBeNull();
    expect(under.log.lines.at(-1)).toBe("info: the store takes events again");
  });

  test("tells whoever asks for a flush that it failed", async () => {
    await callOnce();
    under.sink.failure = "fail";
    await expect(under.ledger.flush()).rejects.toThrow("the database is away");
    under.sink.failure = "none";
    await Promise.all([under.ledger.flush(), under.ledger.flush(), under.ledger.flush()]);
    expect(under.sink.events.size).toBe(1);
  });

  test("starts no second flush by itself while the store hangs", async () => {
    let started = 0;
    await restart({
      flushIntervalMs: 1,
      tasks: {
        run: () => {
          started += 1;
        },
      },
    });
    const gate = Promise.withResolvers<void>();
    under.sink.gate = gate.promise;
    for (let i = 0; i < 100; i += 1) await callOnce();
    await until("the flush", () => under.sink.batches === 1);
    for (let i = 0; i < 100; i += 1) await callOnce();
    expect(started).toBe(1);
    gate.resolve();
    await until("the rest", () => under.sink.events.size === 200);
  });

  test("ends a flush under steady traffic", async () => {
    const stop = new AbortController();
    const traffic = Array.from({ length: 50 }, async () => {
      while (!stop.signal.aborted) await callOnce();
    });
    await until("some calls", () => under.ledger.status().pendingEvents > 200);
    const before = under.ledger.status().pendingEvents;
    await under.ledger.flush();
    stop.abort();
    expect(under.sink.events.size).toBeGreaterThanOrEqual(before);
    await Promise.all(traffic);
  });

  test("goes by no clock but for timestamps: jumps change neither order nor flushes", async () => {
    let nowMs = 10 * HOUR_MS;
    await restart({ clock: { nowMs: () => nowMs } });
    const events: UsageEvent[] = [];
    for (const jumpMs of [0, -9 * HOUR_MS, 500 * HOUR_MS, -400 * HOUR_MS]) {
      nowMs += jumpMs;
      events.push(await callOnce());
      under.ledger.countRefusal(REFUSAL);
      await under.ledger.flush();
      expect(under.ledger.status().lastFlushAtMs).toBe(nowMs);
    }
    expect([...under.sink.events.values()]).toEqual(events);
    expect(under.sink.refusals.map(({ hourMs }) => hourMs / HOUR_MS)).toEqual([10, 1, 501, 101]);
  });

  test("refuses a second ledger on the same process's journal", async () => {
    const { directory, processId, sink, log } = under;
    const clock = { nowMs: Date.now };
    const tasks = { run: () => {} };
    await expect(openFileLedger({ directory, processId, sink, clock, tasks, log })).rejects.toThrow(
      "EEXIST",
    );
    await callOnce();
  });
});

describe("refusal counts", () => {
  test("arrive once, added up, with the events or without", async () => {
    under.ledger.countRefusal(REFUSAL);
    under.ledger.countRefusal(REFUSAL);
    await under.ledger.flush();
    expect(under.sink.refusals).toMatchObject([{ ...REFUSAL, count: 2 }]);
    await callOnce();
    under.ledger.countRefusal(REFUSAL);
    await under.ledger.flush();
    expect(under.sink.refusals).toMatchObject([{ count: 2 }, { count: 1 }]);
    expect(under.sink.batches).toBe(2);
  });

  test.each(["fail", "commit-then-fail"] as const)(
    "arrive once when the flush that carried them failed (%s)",
    async (failure) => {
      await callOnce();
      for (let i = 0; i < 3; i += 1) under.ledger.countRefusal(REFUSAL);
      under.sink.failure = failure;
      await expect(under.ledger.flush()).rejects.toThrow();
      under.ledger.countRefusal(REFUSAL);
      await expect(under.ledger.flush()).rejects.toThrow();
      under.sink.failure = "none";
      await under.ledger.flush();
      await under.ledger.flush();
      expect(under.sink.events.size).toBe(1);
      const total = under.sink.refusals.reduce((sum, { count }) => sum + count, 0);
      expect(total).toBe(4);
    },
  );

  test("are kept when a flush of counts alone fails", async () => {
    under.ledger.countRefusal(REFUSAL);
    under.sink.failure = "fail";
    await expect(under.ledger.flush()).rejects.toThrow();
    under.sink.failure = "none";
    await under.ledger.flush();
    expect(under.sink.refusals).toMatchObject([{ count: 1 }]);
  });
});

describe("the journal's size", () => {
  test("falls back when everything is flushed", async () => {
    await restart({ maxSegmentBytes: 50_000 });
    await callMany(1_000, 20);
    expect(under.ledger.status().journalBytes).toBeGreaterThan(500_000);
    await under.ledger.flush();
    expect(under.ledger.status().journalBytes).toBeLessThan(60_000);
    const files = await readdir(join(under.directory, under.processId));
    expect(files.length).toBeLessThanOrEqual(3);
  });

  test("stays small though a call lasts for ever, and that call survives a crash at any moment", async () => {
    await restart({ maxSegmentBytes: 20_000 });
    const long = await openCall();
    let largest = 0;
    for (let round = 0; round < 40; round += 1) {
      await callMany(50);
      await under.ledger.flush();
      largest = Math.max(largest, under.ledger.status().journalBytes);
      if (round % 8 === 0) {
        const sink = new MemoryEventSink();
        await under.recoverAfterCrash(sink);
        expect(sink.events.get(long.id)?.status).toBe("unknown");
      }
    }
    expect(largest).toBeLessThan(250_000);
    await under.ledger.settle(sampleEvent(long));
    await under.recoverAfterCrash();
    expect(under.sink.events.get(long.id)).toEqual(sampleEvent(long));
    await under.ledger.flush();
    await under.ledger.flush();
    expect(under.ledger.status().openIntents).toBe(0);
  });

  test("does not churn when most of it is open calls", async () => {
    await restart({ maxSegmentBytes: 10_000 });
    for (let i = 0; i < 200; i += 1) await openCall();
    for (let i = 0; i < 10; i += 1) {
      await callOnce();
      await under.ledger.flush();
    }
    const before = under.ledger.status().journalBytes;
    for (let i = 0; i < 20; i += 1) await under.ledger.flush();
    expect(under.ledger.status().journalBytes).toBe(before);
  });
});

describe("a store that stays away", () => {
  test("costs a bounded number of events in memory, and none of 60,000 is lost or offered twice", async () => {
    await restart({ maxEventsInMemory: 5_000 });
    under.sink.failure = "fail";
    await callMany(60_000, 1_000);
    await expect(under.ledger.flush()).rejects.toThrow();
    expect(under.ledger.status().pendingEvents).toBe(60_000);
    under.sink.failure = "none";
    under.sink.offered = 0;
    await under.ledger.flush();
    expect(under.sink.events.size).toBe(60_000);
    expect(under.sink.offered).toBe(60_000);
    expect(under.sink.largestBatch).toBeLessThanOrEqual(2_000);
    expect(under.ledger.status()).toMatchObject({ openIntents: 0, pendingEvents: 0 });
    expect(under.ledger.status().journalBytes).toBeLessThan(5_000_000);
  }, 120_000);

  test("takes events that were settled while it caught up", async () => {
    await restart({ maxEventsInMemory: 100, maxSegmentBytes: 100_000 });
    under.sink.failure = "fail";
    await callMany(5_000);
    under.sink.failure = "none";
    await Promise.all([under.ledger.flush(), callMany(2_000), under.ledger.flush()]);
    await under.ledger.flush();
    await callMany(10);
    await under.ledger.flush();
    expect(under.sink.events.size).toBe(7_010);
    expect(under.sink.offered).toBe(7_010);
    expect(under.ledger.status().pendingEvents).toBe(0);
  });

  test("gets everything but the lines that the disk has altered, and those are kept", async () => {
    await restart({ maxEventsInMemory: 10 });
    under.sink.failure = "fail";
    await callMany(10, 10);
    const events = [];
    for (let i = 0; i < 50; i += 1) events.push(await callOnce());
    const segment = join(under.directory, under.processId, "00000001.log");
    const file = await open(segment, "r+");
    await file.write("#", (await stat(segment)).size - 100);
    await file.close();
    under.sink.failure = "none";
    await under.ledger.flush();
    await under.ledger.flush();
    expect(under.sink.events.size).toBe(59);
    expect(under.sink.events.has(events.at(-1)?.id ?? "")).toBe(false);
    expect(under.ledger.status().pendingEvents).toBe(0);
    expect(under.log.lines).toContain("error: a journal line was altered on disk");
    expect(await readdir(under.directory)).toContain(`${under.processId}.00000001.corrupt`);
    await callOnce();
    await under.ledger.flush();
    expect(under.sink.events.size).toBe(60);
  });
});

describe("closing", () => {
  test("flushes, refuses new calls, and still takes the settlements of old ones", async () => {
    await restart({ closeTimeoutMs: NEVER_MS });
    const late = await openCall();
    await callOnce();
    const gate = Promise.withResolvers<void>();
    under.sink.gate = gate.promise;
    const closed = under.ledger.close();
    await expect(under.ledger.open(sampleIntent(ids))).rejects.toMatchObject({
      code: "shutting_down",
    });
    await under.ledger.settle(sampleEvent(late));
    gate.resolve();
    await closed;
    await expect(under.ledger.settle(sampleEvent(late))).rejects.toMatchObject({
      code: "shutting_down",
    });
    const { directory, sink, log } = under;
    await recoverJournals({ directory, sink, log });
    expect(sink.events.size).toBe(2);
    expect(sink.events.get(late.id)).toEqual(sampleEvent(late));
  });

  test("leaves open intents to recovery", async () => {
    const intent = await openCall();
    await callOnce();
    await under.ledger.close();
    expect(under.sink.events.size).toBe(1);
    const { directory, sink, log } = under;
    expect(await recoverJournals({ directory, sink, log })).toMatchObject({
      processes: 1,
      unknownEvents: 1,
    });
    expect(sink.events.get(intent.id)?.status).toBe("unknown");
    expect(await readdir(directory)).toEqual(["lock"]);
  });

  test.each(["fails", "hangs"])(
    "gives up at its deadline when the store %s, and loses nothing",
    async (way) => {
      const event = await callOnce();
      const gate = Promise.withResolvers<void>();
      if (way === "fails") under.sink.failure = "fail";
      else under.sink.gate = gate.promise;
      await under.ledger.close();
      expect(under.sink.events.size).toBe(0);
      const later = new MemoryEventSink();
      const { directory, log } = under;
      await recoverJournals({ directory, sink: later, log });
      expect([...later.events.values()]).toEqual([event]);
      gate.resolve();
    },
  );

  test("is done once, however often it is asked for", async () => {
    await callOnce();
    await Promise.all([under.ledger.close(), under.ledger.close()]);
    await under.ledger.close();
    expect(under.sink.offered).toBe(1);
  });
});
