import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { crc32 } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { eventLine, intentLine } from "../../test/support/journal-lines.ts";
import { ids, LogOfTest } from "../../test/support/ledger-under-test.ts";
import { sampleEvent, sampleIntent } from "../../test/support/sample-calls.ts";
import { createJournalFolder } from "../ledger/file/journal-folder.ts";
import { encodeHeader } from "../ledger/file/journal-record.ts";
import type { NewProcess } from "../store/records.ts";
import { SqliteStore } from "../store/sqlite/sqlite-store.ts";
import { type Gone, type ProcessKeeper, startProcessKeeper } from "./process-keeper.ts";

const NEVER_MS = 1_000_000;
const HERE = ids.create("dir");

let directory: string;
let store: SqliteStore;
let log: LogOfTest;
let keeper: ProcessKeeper;
let gone: Gone[];
let isHookFailing: boolean;
let nowMs: number;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "keeper-"));
  store = new SqliteStore({ path: join(directory, "keyward.db") });
  await store.migrate();
  log = new LogOfTest();
  gone = [];
  isHookFailing = false;
  nowMs = 0;
  keeper = startProcessKeeper({
    processes: store.processes,
    sink: store.usage,
    journalDirectory: join(directory, "journal"),
    self: await registered(),
    log: { ...methodsOf(log), debug: () => {} },
    monotonicMs: () => nowMs,
    onGone: (one) => {
      gone.push(one);
      return isHookFailing ? Promise.reject(new Error("the hook failed")) : Promise.resolve();
    },
    intervalMs: NEVER_MS,
  });
});
afterEach(async () => {
  await keeper.stop();
  await store.close();
  await rm(directory, { recursive: true });
});

function methodsOf(of: LogOfTest) {
  return { info: of.info.bind(of), warn: of.warn.bind(of), error: of.error.bind(of) };
}

async function registered(change: Partial<NewProcess> = {}): Promise<NewProcess> {
  const process: NewProcess = {
    id: ids.create("prc"),
    dataDirectoryId: HERE,
    hostName: "here",
    pid: 1,
    version: "1",
    ...change,
  };
  await store.processes.register(process);
  return process;
}

/** The journal of a process that is gone. */
async function layJournal({ id }: NewProcess, text: string): Promise<void> {
  const folder = join(directory, "journal", id);
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "00000001.log"), text);
}

/** Makes a heartbeat older, by the database's clock. */
function silence({ id }: NewProcess, forMs: number): void {
  const database = new DatabaseSync(join(directory, "keyward.db"), { timeout: 5_000 });
  const statement = database.prepare(
    "update processes set heartbeat_at_ms = heartbeat_at_ms - ? where id = ?",
  );
  statement.run(forMs, id);
  database.close();
}

/** Looks every five seconds for that long. */
async function lookFor(durationMs: number): Promise<void> {
  for (const endMs = nowMs + durationMs; nowMs < endMs; nowMs += 5_000) await keeper.look();
  await keeper.look();
}

async function isRunning({ id }: NewProcess): Promise<boolean> {
  return (await store.processes.findById(id))?.stoppedAtMs === null;
}

describe("the process keeper", () => {
  it("takes up what a process that died has left, once, and ends it", async () => {
    const dead = await registered();
    const [settled, left] = [sampleIntent(ids), sampleIntent(ids)];
    const records = [settled, left].map(intentLine).join("");
    await layJournal(dead, encodeHeader([]) + records + eventLine(sampleEvent(settled)));
    await keeper.look();
    const { rows } = await store.usage.listEvents({ limit: 10 });
    expect(new Map(rows.map(({ id, status }) => [id, status]))).toEqual(
      new Map([
        [settled.id, "succeeded"],
        [left.id, "unknown"],
      ]),
    );
    expect(gone).toEqual([{ processId: dead.id, how: "recovered" }]);
    expect(await isRunning(dead)).toBe(false);
    await keeper.look();
    expect(gone).toHaveLength(1);
    expect(await readdir(join(directory, "journal"))).toEqual(["lock"]);
  });

  it("leaves a journal alone whose process lives, however long that one is silent", async () => {
    const hanging = await registered();
    const { lock } = await createJournalFolder(join(directory, "journal"), hanging.id);
    silence(hanging, 3_600_000);
    await lookFor(60_000);
    expect(gone).toEqual([]);
    expect(await isRunning(hanging)).toBe(true);
    lock.release();
    await keeper.look();
    expect(gone).toEqual([{ processId: hanging.id, how: "recovered" }]);
  });

  it("keeps the journal until what the process held was given back", async () => {
    const dead = await registered();
    await layJournal(dead, encodeHeader([]));
    isHookFailing = true;
    await keeper.look();
    expect(await isRunning(dead)).toBe(true);
    expect(log.lines.join("\n")).toContain("it stays");
    isHookFailing = false;
    await keeper.look();
    expect(gone).toHaveLength(2);
    expect(await isRunning(dead)).toBe(false);
  });

  it("says once that a newer Keyward has written a journal, and goes on with the others", async () => {
    const [newer, dead] = [await registered(), await registered()];
    const body = JSON.stringify(["h", 99, []]);
    await layJournal(newer, `${crc32(body).toString(16).padStart(8, "0")} ${body}\n`);
    await layJournal(dead, encodeHeader([]));
    await lookFor(15_000);
    expect(gone).toEqual([{ processId: dead.id, how: "recovered" }]);
    expect(log.lines.filter((line) => line.includes("newer Keyward"))).toHaveLength(1);
  });

  it("ends a process of this directory that has left no journal, once its silence was watched", async () => {
    const dead = await registered();
    silence(dead, 15_000);
    await lookFor(20_000);
    expect(await isRunning(dead)).toBe(true);
    await lookFor(15_000);
    expect(gone).toEqual([{ processId: dead.id, how: "recovered" }]);
    expect(await isRunning(dead)).toBe(false);
  });

  it("takes a process elsewhere for lost after ten minutes, and not before", async () => {
    const elsewhere = await registered({ dataDirectoryId: ids.create("dir") });
    const copied = await registered({ hostName: "a copy of the directory" });
    silence(elsewhere, 9 * 60_000);
    silence(copied, 11 * 60_000);
    await lookFor(60_000);
    expect(gone).toEqual([{ processId: copied.id, how: "lost" }]);
    silence(elsewhere, 2 * 60_000);
    await lookFor(60_000);
    expect(gone).toEqual([copied, elsewhere].map(({ id }) => ({ processId: id, how: "lost" })));
    expect(log.lines.filter((line) => line.includes("is lost"))).toHaveLength(2);
  });

  it("takes nobody for lost because the database's clock has jumped ahead", async () => {
    const living = await registered({ dataDirectoryId: ids.create("dir") });
    for (let look = 0; look < 20; look += 1) {
      // Every look sees another heartbeat, and all of them an hour old.
      silence(living, 3_600_000 + look);
      await keeper.look();
      nowMs += 5_000;
    }
    expect(gone).toEqual([]);
    expect(await isRunning(living)).toBe(true);
  });
});
