/**
 * A process to be killed. Recovers what is left of others, as a start does, and then (`calls`) makes calls until it
 * dies, or (`recover`) is done. With `offline` as the store's path its store is away. Says on stdout what the ledger
 * has acknowledged: `opened <id>`, `settled <id>`.
 */
import { randomBytes, randomInt } from "node:crypto";
import { writeSync } from "node:fs";
import { setImmediate as tick } from "node:timers/promises";
import { IdFactory } from "../../src/core/ids/ids.ts";
import { openFileLedger } from "../../src/ledger/file/file-ledger.ts";
import { recoverJournals } from "../../src/ledger/file/recover-journals.ts";
import { SqliteStore } from "../../src/store/sqlite/sqlite-store.ts";
import { MemoryEventSink } from "../support/memory-event-sink.ts";
import { sampleEvent, sampleIntent } from "../support/sample-calls.ts";

const [mode, directory = "", path = ""] = process.argv.slice(2);
const log = { info: () => {}, warn: () => {}, error: () => {} };
const ids = new IdFactory({ nowMs: Date.now, randomBytes });
const CONCURRENCY = 16;

function say(line: string): void {
  // Synchronous: what was said before the kill has been said.
  writeSync(1, `${line}\n`);
}

const offline = new MemoryEventSink();
offline.failure = "fail";
const store = path === "offline" ? undefined : new SqliteStore({ path });
const sink = store?.usage ?? offline;

say("started");
if (store !== undefined) await recoverJournals({ directory, sink, log });

if (mode === "calls") {
  const ledger = await openFileLedger({
    directory,
    processId: ids.create("prc"),
    sink,
    clock: { nowMs: Date.now },
    tasks: { run: () => {} },
    log,
    flushIntervalMs: 3,
    maxSegmentBytes: 30_000,
    maxEventsInMemory: 100,
  });
  say("ready");
  await Promise.all(
    Array.from({ length: CONCURRENCY }, async () => {
      for (;;) {
        const intent = sampleIntent(ids);
        await ledger.open(intent);
        say(`opened ${intent.id}`);
        for (let wait = randomInt(20); wait > 0; wait -= 1) await tick();
        await ledger.settle(sampleEvent(intent));
        say(`settled ${intent.id}`);
      }
    }),
  );
}
await store?.close();
say("done");
