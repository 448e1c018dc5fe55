import { type ChildProcess, spawn } from "node:child_process";
import { randomInt } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, open, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { UsageEvent } from "../../src/core/usage/usage-event.ts";
import { recoverJournals } from "../../src/ledger/file/recover-journals.ts";
import { SqliteStore } from "../../src/store/sqlite/sqlite-store.ts";
import { MAX_PAGE_SIZE } from "../../src/store/store.ts";
import { until } from "../support/poll.ts";

const PROGRAM = fileURLToPath(new URL("./ledger-process.ts", import.meta.url));
const log = { info: () => {}, warn: () => {}, error: () => {} };

let root: string;
let directory: string;
let path: string;
let store: SqliteStore;
let children: ChildProcess[];
let starts = 0;
let opened: Set<string>;
let settled: Set<string>;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "kill-"));
  directory = join(root, "journal");
  path = join(root, "store.db");
  store = new SqliteStore({ path });
  await store.migrate();
  children = [];
  opened = new Set();
  settled = new Set();
});
afterEach(async () => {
  await Promise.all(children.map(kill));
  await store.close();
  await rm(root, { recursive: true, force: true });
});

interface Life {
  readonly child: ChildProcess;
  /** What it has said so far. A file, because a pipe can be full. */
  said(): Promise<readonly string[]>;
}

async function start(mode: string, storePath = path): Promise<Life> {
  starts += 1;
  const report = join(root, `report-${starts}`);
  const file = await open(report, "a");
  const child = spawn(process.execPath, [PROGRAM, mode, directory, storePath], {
    stdio: ["ignore", file.fd, "inherit"],
  });
  children.push(child);
  await file.close();
  return { child, said: async () => (await readFile(report, "utf8")).split("\n") };
}

/** Starts a process that makes calls, kills it when it has said so many lines, and notes what it acknowledged. */
async function callUntilLine(lines: number, storePath = path): Promise<void> {
  const life = await start("calls", storePath);
  await until("calls", async () => (await life.said()).length > lines, 60_000);
  await kill(life.child);
  for (const line of await life.said()) {
    const [word, id] = line.split(" ");
    if (id !== undefined) (word === "opened" ? opened : settled).add(id);
  }
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, "exit");
  child.kill("SIGKILL");
  await exit;
}

async function storedEvents(): Promise<readonly UsageEvent[]> {
  const events: UsageEvent[] = [];
  for (let cursor: string | undefined; ;) {
    const page = await store.usage.listEvents({ limit: MAX_PAGE_SIZE, cursor });
    events.push(...page.rows);
    if (page.nextCursor === null) return events;
    cursor = page.nextCursor;
  }
}

/** What was acknowledged is in the store, in the rollups too, once and as it was. */
async function expectEverythingOnce(): Promise<void> {
  const events = await storedEvents();
  const byId = new Map(events.map((event) => [event.id as string, event]));
  expect(byId.size).toBe(events.length);
  for (const id of opened) expect(byId.has(id)).toBe(true);
  for (const id of settled) expect(byId.get(id)?.status).toBe("succeeded");
  for (const event of events) {
    expect(event.costPicos).toBe(event.status === "unknown" ? event.holdPicos : 975_000_000n);
  }
  const total = await store.usage.summarize({ limit: 1 }, { groupBy: [] });
  expect(total.rows[0]).toMatchObject({
    calls: events.length,
    unknownCalls: events.filter(({ status }) => status === "unknown").length,
    costPicos: events.reduce((sum, { costPicos }) => sum + (costPicos ?? 0n), 0n),
  });
}

describe("a process that is killed at any moment", () => {
  test("loses no call that the ledger took and doubles none, over many starts", async () => {
    for (let round = 0; round < 8; round += 1) {
      await callUntilLine(2 + randomInt(round % 2 === 0 ? 60 : 3_000));
    }
    await recoverJournals({ directory, sink: store.usage, log });
    expect(opened.size).toBeGreaterThan(500);
    expect(settled.size).toBeGreaterThan(300);
    await expectEverythingOnce();
    expect(await readdir(directory)).toEqual(["lock"]);
  }, 120_000);

  test("loses and doubles nothing when recovery is killed too, again and again, by twos", async () => {
    await Promise.all([callUntilLine(8_000, "offline"), callUntilLine(5_000, "offline")]);
    expect(await storedEvents()).toEqual([]);
    for (let round = 0; round < 4; round += 1) {
      for (const life of [await start("recover"), await start("recover")]) {
        await until("its start", async () => (await life.said()).includes("started"), 60_000);
        for (let wait = randomInt(300); wait > 0; wait -= 1) await store.ping();
        await kill(life.child);
      }
    }
    await recoverJournals({ directory, sink: store.usage, log });
    expect(opened.size).toBeGreaterThan(5_000);
    await expectEverythingOnce();
    expect(await readdir(directory)).toEqual(["lock"]);
  }, 120_000);
});
