import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import * as fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { eventLine, intentLine } from "../../../test/support/journal-lines.ts";
import { ids, LogOfTest } from "../../../test/support/ledger-under-test.ts";
import { MemoryEventSink } from "../../../test/support/memory-event-sink.ts";
import { sampleEvent, sampleIntent } from "../../../test/support/sample-calls.ts";
import type { ProcessId } from "../../core/ids/ids.ts";
import { picos } from "../../core/money/picos.ts";
import type { CallIntent } from "../../core/usage/usage-event.ts";
import type { RecoveryReport } from "../ledger.ts";
import { unknownEvent } from "../unknown-event.ts";
import { createJournalFolder } from "./journal-folder.ts";
import { encodeHeader } from "./journal-record.ts";
import { recoverJournals } from "./recover-journals.ts";

let directory: string;
let sink: MemoryEventSink;
let log: LogOfTest;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "recovery-"));
  sink = new MemoryEventSink();
  log = new LogOfTest();
});
afterEach(async () => {
  await rm(directory, { recursive: true, force: true });
});

/** The journal of a process that is gone: the text or bytes of its segments, from number 1 on. */
async function layJournal(...segments: readonly (string | Buffer)[]): Promise<ProcessId> {
  const processId = ids.create("prc");
  const folder = join(directory, processId);
  await mkdir(folder);
  for (const [index, content] of segments.entries()) {
    await writeFile(join(folder, `0000000${index + 1}.log`), content);
  }
  return processId;
}

async function recover(into: MemoryEventSink = sink): Promise<RecoveryReport> {
  return await recoverJournals({ directory, sink: into, log });
}

const header = encodeHeader([]);
const report = (change: Partial<RecoveryReport>): RecoveryReport => ({
  processes: 1,
  settledEvents: 0,
  unknownEvents: 0,
  tornLines: 0,
  corruptLines: 0,
  ...change,
});

describe("recoverJournals", () => {
  test("stores settlements as they were, and intents without one as unknown at the price of their hold", async () => {
    const settled = sampleIntent(ids);
    const left = sampleIntent(ids, { holdPicos: picos(42n) });
    const free = sampleIntent(ids, { holdPicos: null });
    const records = [settled, left, free].map(intentLine);
    await layJournal(header + records.join("") + eventLine(sampleEvent(settled)));
    expect(await recover()).toEqual(report({ settledEvents: 1, unknownEvents: 2 }));
    expect(sink.events.get(settled.id)).toEqual(sampleEvent(settled));
    expect(sink.events.get(left.id)).toEqual({
      ...left,
      status: "unknown",
      httpStatus: null,
      durationMs: 0,
      firstByteMs: null,
      providerResponseId: null,
      sentModel: null,
      servedModel: null,
      serviceTier: null,
      variant: null,
      usageSource: "unknown",
      quantities: {},
      pricing: "unpriced",
      costPicos: 42n,
      pricePicos: 0n,
      priceRowId: null,
    });
    expect(sink.events.get(free.id)?.costPicos).toBeNull();
    expect(await readdir(directory)).toEqual(["lock"]);
    expect(await recover()).toEqual(report({ processes: 0 }));
  });

  test("recovers exactly the records before the cut, wherever a journal is cut", async () => {
    const intents = Array.from({ length: 4 }, () =>
      sampleIntent(ids, { customer: "Zoë ✓\n\u0000" }),
    );
    const records = [
      header,
      ...intents.map(intentLine),
      ...intents.slice(0, 3).map((intent) => eventLine(sampleEvent(intent))),
    ].map((record) => Buffer.from(record));
    const whole = Buffer.concat(records);
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: whole.length }), async (cut) => {
        const into = new MemoryEventSink();
        await layJournal(whole.subarray(0, cut));
        const found = await recover(into);
        // A line is whole without its line feed.
        const fits = (index: number) =>
          records.slice(0, index + 1).reduce((sum, { length }) => sum + length, 0) - 1 <= cut;
        const expected = new Map<string, unknown>();
        for (const [index, intent] of intents.entries()) {
          if (fits(5 + index) && index < 3) expected.set(intent.id, sampleEvent(intent));
          else if (fits(1 + index)) expected.set(intent.id, unknownEvent(intent));
        }
        expect(new Map(into.events)).toEqual(expected);
        expect(found.corruptLines).toBe(0);
        expect(found.tornLines).toBeLessThanOrEqual(1);
        expect(await readdir(directory)).toEqual(["lock"]);
      }),
      {
        numRuns: 150,
        examples: [[0], [whole.length], [whole.length - 1], [records[0]?.length ?? 0]],
      },
    );
  });

  test("reads the lines around an altered one, keeps that one and counts it", async () => {
    const [one, two, three] = [sampleIntent(ids), sampleIntent(ids), sampleIntent(ids)];
    const altered = intentLine(two).replace("acme", "Acme");
    const processId = await layJournal(
      header + intentLine(one) + altered,
      header + intentLine(three),
    );
    expect(await recover()).toEqual(report({ unknownEvents: 2, corruptLines: 1 }));
    expect([...sink.events.keys()].toSorted()).toEqual([one.id, three.id].toSorted());
    const kept = join(directory, `${processId}.00000001.corrupt`);
    expect(await readFile(kept, "utf8")).toBe(altered);
    expect(log.lines).toContain(
      "error: journal lines were altered on disk; they are kept beside the journal",
    );
  });

  test("survives noise of any kind, and what is whole in it is found", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 300 })), async (noise) => {
        const into = new MemoryEventSink();
        const intent = sampleIntent(ids);
        const feed = Buffer.from("\n");
        const bytes = noise.flatMap((one) => [Buffer.from(one), feed]);
        await layJournal(Buffer.concat([...bytes, Buffer.from(intentLine(intent)), ...noise]));
        await recover(into);
        expect([...into.events.keys()]).toEqual([intent.id]);
      }),
      { numRuns: 30 },
    );
  });

  test("reads lines that are longer than what is read at a time, and journals of many blocks", async () => {
    const long = sampleIntent(ids, { requestedModel: "m".repeat(1_000_000) });
    const many = Array.from({ length: 3_000 }, () => sampleIntent(ids));
    const settled = many.map((intent) => eventLine(sampleEvent(intent)));
    await layJournal(
      header + intentLine(long) + settled.join(""),
      header + settled.slice(0, 10).join(""),
    );
    expect(await recover()).toEqual(report({ settledEvents: 3_010, unknownEvents: 1 }));
    expect(sink.events.size).toBe(3_001);
    expect(sink.events.get(long.id)?.requestedModel).toHaveLength(1_000_000);
    expect(sink.largestBatch).toBe(1_000);
  });

  test("takes an intent that compaction has written twice for one", async () => {
    const [settled, left] = [sampleIntent(ids), sampleIntent(ids)];
    const both = intentLine(settled) + intentLine(left);
    await layJournal(header + both, header + both + eventLine(sampleEvent(settled)));
    expect(await recover()).toEqual(report({ settledEvents: 1, unknownEvents: 1 }));
    expect(sink.events.get(settled.id)).toEqual(sampleEvent(settled));
  });

  test("stops where a later segment says that an abandoned one counts no further", async () => {
    const [kept, refused] = [sampleIntent(ids), sampleIntent(ids)];
    const acknowledged = header + intentLine(kept);
    await layJournal(
      acknowledged + intentLine(refused),
      encodeHeader([{ segment: 1, bytes: Buffer.byteLength(acknowledged) }]),
    );
    expect(await recover()).toEqual(report({ unknownEvents: 1 }));
    expect([...sink.events.keys()]).toEqual([kept.id]);
  });

  test("leaves the journal of a living process alone", async () => {
    const processId = ids.create("prc");
    const folder = await createJournalFolder(directory, processId);
    await writeFile(join(folder.path, "00000001.log"), header + intentLine(sampleIntent(ids)));
    expect(await recover()).toEqual(report({ processes: 0 }));
    expect(await readdir(folder.path)).toEqual(["00000001.log", "lock"]);
    folder.lock.release();
    expect(await recover()).toEqual(report({ unknownEvents: 1 }));
  });

  test("leaves the journal of a newer Keyward alone and says so", async () => {
    const intent = sampleIntent(ids);
    const body = JSON.stringify(["o", 2, { id: intent.id }]);
    const newer = `${crc32(body).toString(16).padStart(8, "0")} ${body}\n`;
    const processId = await layJournal(header + intentLine(intent) + newer);
    expect(await recover()).toEqual(report({ processes: 0 }));
    expect(await readdir(join(directory, processId))).toEqual(["00000001.log", "lock"]);
    expect(log.lines.join()).toContain("newer Keyward");
    expect(sink.events.size).toBe(0);
  });

  test("keeps a journal whose events the store did not take, and recovers it the next time", async () => {
    const intents = [sampleIntent(ids), sampleIntent(ids)];
    for (const intent of intents) await layJournal(header + intentLine(intent));
    sink.failure = "fail";
    await expect(recover()).rejects.toThrow("the database is away");
    sink.failure = "commit-then-fail";
    await expect(recover()).rejects.toThrow("the connection was lost");
    sink.failure = "none";
    expect(await recover()).toEqual(report({ processes: 2, unknownEvents: 2 }));
    expect([...sink.events.keys()].toSorted()).toEqual(intents.map(({ id }) => id).toSorted());
  });

  test("does not let a journal that cannot be read keep the others back", async () => {
    const bad = await layJournal(header);
    await rm(join(directory, bad, "00000001.log"));
    await mkdir(join(directory, bad, "00000001.log"));
    const intent = sampleIntent(ids);
    await layJournal(header + intentLine(intent));
    await expect(recover()).rejects.toThrow("EISDIR");
    expect([...sink.events.keys()]).toEqual([intent.id]);
  });

  test("stores everything once when several recover at once", async () => {
    const intents: CallIntent[] = [];
    for (let i = 0; i < 8; i += 1) {
      const some = Array.from({ length: 20 }, () => sampleIntent(ids));
      await layJournal(header + some.map(intentLine).join(""));
      intents.push(...some);
    }
    const reports = await Promise.all([recover(), recover(), recover()]);
    expect(reports.reduce((sum, { processes }) => sum + processes, 0)).toBe(8);
    expect(reports.reduce((sum, { unknownEvents }) => sum + unknownEvents, 0)).toBe(160);
    expect(sink.offered).toBe(160);
    expect(await readdir(directory)).toEqual(["lock"]);
  });

  test("clears away a folder whose owner died before it wrote, and leaves other files alone", async () => {
    await layJournal();
    await mkdir(join(directory, "notes"));
    await writeFile(join(directory, "notes.txt"), "");
    await recover();
    expect((await readdir(directory)).toSorted()).toEqual(["lock", "notes", "notes.txt"]);
  });

  test("finds nothing where there is no directory, and makes none", async () => {
    await rm(directory, { recursive: true });
    expect(await recover()).toEqual(report({ processes: 0 }));
    await expect(readdir(directory)).rejects.toThrow("ENOENT");
  });
});
