import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { FaultyJournalFiles } from "../../../test/support/faulty-journal-files.ts";
import { ids, type LedgerUnderTest, startLedger } from "../../../test/support/ledger-under-test.ts";
import { MemoryEventSink } from "../../../test/support/memory-event-sink.ts";
import { sampleEvent, sampleIntent } from "../../../test/support/sample-calls.ts";
import { KeywardError } from "../../core/errors/keyward-error.ts";

let files: FaultyJournalFiles;
let under: LedgerUnderTest;

beforeEach(async () => {
  files = new FaultyJournalFiles();
  under = await startLedger({ files, durability: "disk", maxSegmentBytes: 100_000 });
});
afterEach(async () => {
  files.faultOf = () => undefined;
  await under.dispose();
});

/** Opens and says which intents the journal took. */
async function openSome(count: number): Promise<{ taken: string[]; refused: string[] }> {
  const taken: string[] = [];
  const refused: string[] = [];
  const intents = Array.from({ length: count }, () => sampleIntent(ids));
  await Promise.all(
    intents.map(async (intent) => {
      await under.ledger.open(intent).then(
        () => taken.push(intent.id),
        () => refused.push(intent.id),
      );
    }),
  );
  return { taken, refused };
}

async function recoveredIds(): Promise<readonly string[]> {
  const sink = new MemoryEventSink();
  await under.recoverAfterCrash(sink);
  return [...sink.events.keys()].toSorted();
}

describe("the journal", () => {
  test("writes together what arrives together", async () => {
    await openSome(1);
    files.calls.length = 0;
    await openSome(300);
    expect(files.calls).toEqual(["write", "syncData"]);
  });

  test("lets nobody but its owner read it", async () => {
    await openSome(1);
    const folder = join(under.directory, under.processId);
    const { mode } = await stat(join(folder, "00000001.log"));
    expect(mode & 0o777).toBe(0o600);
    expect((await stat(folder)).mode & 0o777).toBe(0o700);
  });

  test("refuses with journal_unavailable and says why in the detail alone", async () => {
    files.faultOf = (operation) => (operation === "write" ? "ENOSPC" : undefined);
    const error: unknown = await under.ledger.open(sampleIntent(ids)).catch((one: unknown) => one);
    expect(error).toBeInstanceOf(KeywardError);
    expect(error).toMatchObject({ code: "journal_unavailable" });
    expect((error as KeywardError).detail).toContain("ENOSPC");
    expect(String(error)).not.toContain("ENOSPC");
  });

  const faults = [
    { name: "the disk is full at once", operations: ["write"], bytes: 0 },
    { name: "the disk is full within a line", operations: ["write"], bytes: 150 },
    { name: "the disk is full behind whole lines", operations: ["write"], bytes: 2_000 },
    { name: "a sync fails", operations: ["syncData"], bytes: 0 },
    { name: "a sync and the cut fail", operations: ["syncData", "truncate"], bytes: 0 },
    { name: "a write and the cut fail", operations: ["write", "truncate"], bytes: 2_000 },
    { name: "no file can be made", operations: ["write", "create"], bytes: 150 },
    { name: "the folder does not sync", operations: ["syncData", "syncDirectory"], bytes: 0 },
    { name: "a file does not close", operations: ["syncData", "close"], bytes: 0 },
    {
      name: "the disk is dead",
      operations: ["write", "create", "truncate", "remove", "close", "syncData"],
      bytes: 700,
    },
  ];

  test.each(faults)(
    "keeps nothing that it refused, and everything else, when $name",
    async (fault) => {
      for (const isFirstWrite of [true, false]) {
        under = isFirstWrite ? under : await startLedger({ files, durability: "disk" });
        const before = isFirstWrite ? { taken: [] } : await openSome(5);
        files.bytesBeforeFault = fault.bytes;
        files.faultOf = (operation) => (fault.operations.includes(operation) ? "EIO" : undefined);
        for (let round = 0; round < 3; round += 1) {
          const during = await openSome(5);
          expect(during.taken).toEqual([]);
          expect(during.refused).toHaveLength(5);
        }
        expect(under.ledger.status().openIntents).toBe(before.taken.length);
        files.faultOf = () => undefined;
        const after = await openSome(5);
        expect(after.refused).toEqual([]);
        expect(await recoveredIds()).toEqual([...before.taken, ...after.taken].toSorted());
        if (isFirstWrite) await under.dispose();
      }
    },
  );

  test("does not heap up files while the disk is full", async () => {
    files.faultOf = (operation) => (operation === "write" ? "ENOSPC" : undefined);
    for (let round = 0; round < 20; round += 1) await openSome(1);
    expect(await readdir(join(under.directory, under.processId))).toEqual(["lock"]);
    files.faultOf = () => undefined;
    await openSome(1);
    for (let round = 0; round < 20; round += 1) {
      files.faultOf = (operation) => (operation === "write" ? "ENOSPC" : undefined);
      await openSome(1);
      files.faultOf = () => undefined;
    }
    expect(await readdir(join(under.directory, under.processId))).toEqual(["00000001.log", "lock"]);
  });

  test("begins a new segment when one is full, and every segment with a header", async () => {
    await under.dispose();
    under = await startLedger({ maxSegmentBytes: 1_000 });
    for (let round = 0; round < 10; round += 1) await openSome(2);
    const names = (await readdir(join(under.directory, under.processId))).filter(
      (name) => name !== "lock",
    );
    expect(names.length).toBeGreaterThan(3);
    for (const name of names) {
      const text = await readFile(join(under.directory, under.processId, name), "utf8");
      expect(text).toMatch(/^[0-9a-f]{8} \["h",1,\[\]\]\n/);
    }
    expect(await recoveredIds()).toHaveLength(20);
  });

  test("hands a settlement that it refused to the store all the same", async () => {
    const intent = sampleIntent(ids);
    await under.ledger.open(intent);
    files.faultOf = (operation) => (operation === "write" ? "ENOSPC" : undefined);
    const event = sampleEvent(intent);
    await expect(under.ledger.settle(event)).rejects.toMatchObject({ code: "journal_unavailable" });
    await expect(under.ledger.settle(event)).rejects.toThrow("settled already");
    expect(under.ledger.status()).toMatchObject({ openIntents: 0, pendingEvents: 1 });
    // Killed now, the call is still known, if not its end.
    expect(await recoveredIds()).toEqual([intent.id]);
    await under.ledger.flush();
    expect([...under.sink.events.values()]).toEqual([event]);
    expect(under.ledger.status().pendingEvents).toBe(0);
  });

  test("takes such a settlement in when the disk comes back before the store does", async () => {
    const intent = sampleIntent(ids);
    await under.ledger.open(intent);
    files.faultOf = (operation) => (operation === "write" ? "ENOSPC" : undefined);
    await expect(under.ledger.settle(sampleEvent(intent))).rejects.toThrow(KeywardError);
    under.sink.failure = "fail";
    await expect(under.ledger.flush()).rejects.toThrow("away");
    files.faultOf = () => undefined;
    await expect(under.ledger.flush()).rejects.toThrow("away");
    await expect(under.ledger.flush()).rejects.toThrow("away");
    expect(under.ledger.status().pendingEvents).toBe(1);
    const sink = new MemoryEventSink();
    await under.recoverAfterCrash(sink);
    expect([...sink.events.values()]).toEqual([sampleEvent(intent)]);
    under.sink.failure = "none";
    await under.ledger.flush();
    expect([...under.sink.events.values()]).toEqual([sampleEvent(intent)]);
    expect(under.ledger.status()).toMatchObject({ openIntents: 0, pendingEvents: 0 });
  });
});
