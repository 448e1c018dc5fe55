import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, expect, test } from "vitest";
import { copyJournal } from "../../../test/support/copy-journal.ts";
import { ids, LogOfTest } from "../../../test/support/ledger-under-test.ts";
import { MemoryEventSink } from "../../../test/support/memory-event-sink.ts";
import { sampleEvent, sampleIntent } from "../../../test/support/sample-calls.ts";
import { KeywardError } from "../../core/errors/keyward-error.ts";
import { openFileLedger } from "./file-ledger.ts";
import { recoverJournals } from "./recover-journals.ts";

const run = promisify(execFile);
const root = await mkdtemp(join(tmpdir(), "full-disk-"));
const crashed = join(root, "crashed");
const disk = join(root, "disk");
await run("mkdir", [disk]);
/** A real disk of one megabyte, where the tests may mount one (as root on Linux). */
const isMounted = await run("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", disk]).then(
  () => true,
  () => false,
);

afterAll(async () => {
  if (isMounted) await run("umount", [disk]);
  await rm(root, { recursive: true, force: true });
});

test.skipIf(!isMounted)(
  "a full disk refuses calls, and what it had taken and takes later is whole",
  async () => {
    const log = new LogOfTest();
    const sink = new MemoryEventSink();
    const processId = ids.create("prc");
    const ledger = await openFileLedger({
      directory: disk,
      processId,
      sink,
      clock: { nowMs: Date.now },
      tasks: { run: () => {} },
      log,
      flushIntervalMs: 1_000_000,
      maxSegmentBytes: 100_000,
    });
    const acknowledged = new Map<string, unknown>();
    let refusals = 0;
    const callOnce = async () => {
      const event = sampleEvent(sampleIntent(ids));
      try {
        await ledger.open(event);
        acknowledged.set(event.id, expect.objectContaining({ id: event.id }));
        await ledger.settle(event);
        acknowledged.set(event.id, event);
      } catch (error) {
        expect(error).toBeInstanceOf(KeywardError);
        expect(error).toMatchObject({ code: "journal_unavailable" });
        refusals += 1;
      }
    };
    const callMany = async (count: number) => {
      await Promise.all(Array.from({ length: count }, callOnce));
    };

    const filler = join(disk, "filler");
    await writeFile(filler, Buffer.alloc(500_000));
    // Far more than fits, in writes of many sizes.
    for (let round = 0; round < 60; round += 1) await callMany(1 + ((round * 7) % 40));
    expect(refusals).toBeGreaterThan(100);
    expect(acknowledged.size).toBeGreaterThan(100);
    const before = acknowledged.size;

    await rm(filler);
    await callMany(50);
    expect(acknowledged.size).toBe(before + 50);

    copyJournal(disk, crashed, processId);
    const store = new MemoryEventSink();
    const report = await recoverJournals({ directory: crashed, sink: store, log });
    expect(report).toMatchObject({ tornLines: 0, corruptLines: 0 });
    expect(new Map(store.events)).toEqual(acknowledged);

    await ledger.flush();
    expect(ledger.status().pendingEvents).toBe(0);
    await ledger.close();
  },
);
