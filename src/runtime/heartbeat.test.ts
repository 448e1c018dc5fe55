import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ids, LogOfTest } from "../../test/support/ledger-under-test.ts";
import { until } from "../../test/support/poll.ts";
import type { NewProcess } from "../store/records.ts";
import { SqliteStore } from "../store/sqlite/sqlite-store.ts";
import type { ProcessRepository } from "../store/store.ts";
import { type Heartbeat, startHeartbeat } from "./heartbeat.ts";

let directory: string;
let store: SqliteStore;
let lines: string[];
let heartbeat: Heartbeat | undefined;
let timesEnded: number;
const self: NewProcess = {
  id: ids.create("prc"),
  dataDirectoryId: ids.create("dir"),
  hostName: "here",
  pid: 1,
  version: "1",
};

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "heartbeat-"));
  store = new SqliteStore({ path: join(directory, "keyward.db") });
  await store.migrate();
  lines = [];
  timesEnded = 0;
  heartbeat = undefined;
});
afterEach(async () => {
  await heartbeat?.stop({ isEnded: false });
  await store.close();
  await rm(directory, { recursive: true });
});

async function start(
  processes: Pick<ProcessRepository, "register" | "beat" | "end"> = store.processes,
): Promise<Heartbeat> {
  const log = new LogOfTest();
  lines = log.lines;
  heartbeat = await startHeartbeat({
    processes,
    self,
    log: {
      debug: () => {},
      info: log.info.bind(log),
      warn: log.warn.bind(log),
      error: log.error.bind(log),
    },
    onEnded: async () => {
      timesEnded += 1;
    },
    intervalMs: 5,
  });
  return heartbeat;
}

const find = () => store.processes.findById(self.id);

describe("the heartbeat", () => {
  it("shows in the store, until the process says that it has ended", async () => {
    const started = await start();
    const first = await find();
    await until("a further heartbeat", async () => {
      return ((await find())?.heartbeatAtMs ?? 0) > (first?.heartbeatAtMs ?? Infinity);
    });
    await started.stop({ isEnded: true });
    expect((await find())?.stoppedAtMs).not.toBeNull();
    expect(timesEnded).toBe(0);
    expect(lines).toEqual([]);
  });

  it("leaves the row to whoever recovers the journal, when one is left", async () => {
    await (await start()).stop({ isEnded: false });
    expect((await find())?.stoppedAtMs).toBeNull();
  });

  it("hears that others took the process for dead, and has it run again", async () => {
    await start();
    await store.processes.end(self.id);
    await until("the process is told", () => timesEnded > 0);
    await until("it runs again", async () => (await find())?.stoppedAtMs === null);
    expect(timesEnded).toBe(1);
    expect(lines).toEqual(["warn: this process was taken for dead; it goes on"]);
  });

  it("goes on after the store was away, and says once that it is", async () => {
    let failures = 0;
    let isAway = true;
    const { processes } = store;
    await start({
      register: (one) => processes.register(one),
      end: (id) => processes.end(id),
      beat: (id) => {
        if (!isAway) return processes.beat(id);
        failures += 1;
        return Promise.reject(new Error("away"));
      },
    });
    await until("it was tried several times", () => failures > 2);
    isAway = false;
    const before = await find();
    await until("a further heartbeat", async () => {
      return ((await find())?.heartbeatAtMs ?? 0) > (before?.heartbeatAtMs ?? Infinity);
    });
    expect(lines).toEqual(["warn: the heartbeat does not reach the store"]);
  });
});
