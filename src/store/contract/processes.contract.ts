import { describe, expect, test } from "vitest";
import type { NewProcess } from "../records.ts";
import type { Store } from "../store.ts";
import { type CreateTestDatabase, useDatabase } from "./fixture.contract.ts";
import { ids } from "./samples.contract.ts";

const MINUTE_MS = 60_000;

function sampleProcess(overrides: Partial<NewProcess> = {}): NewProcess {
  return {
    id: ids.create("prc"),
    dataDirectoryId: ids.create("dir"),
    hostName: "gateway-1.internal",
    pid: 4711,
    version: "1.2.3",
    ...overrides,
  };
}

export function describeProcesses(createDatabase: CreateTestDatabase): void {
  describe("processes", () => {
    const fixture = useDatabase(createDatabase);

    /** Lets the time of the database pass for one process: its heartbeat is older then. */
    async function silence({ id }: NewProcess, forMs: number): Promise<void> {
      await fixture.database.execute(
        `update processes set heartbeat_at_ms = heartbeat_at_ms - ${forMs} where id = '${id}'`,
      );
    }

    async function registered(store: Store = fixture.store): Promise<NewProcess> {
      const process = sampleProcess();
      await store.processes.register(process);
      return process;
    }

    test("run from their registration on, by the database's clock", async () => {
      const process = await registered();
      const found = await fixture.store.processes.findById(process.id);
      expect(found).toEqual({
        ...process,
        startedAtMs: expect.any(Number) as number,
        heartbeatAtMs: found?.startedAtMs,
        silentForMs: expect.any(Number) as number,
        stoppedAtMs: null,
      });
      // The test's database is on this machine: the two clocks are one.
      expect(Math.abs((found?.startedAtMs ?? 0) - Date.now())).toBeLessThan(MINUTE_MS);
      expect(found?.silentForMs).toBeLessThan(MINUTE_MS);
      expect(await fixture.store.processes.listRunning()).toMatchObject([{ id: process.id }]);
    });

    test("are silent from their last heartbeat on, and no longer with the next one", async () => {
      const { processes } = fixture.store;
      const [lively, silent] = [await registered(), await registered()];
      await silence(silent, 2 * MINUTE_MS);
      expect(await processes.listSilent(MINUTE_MS)).toMatchObject([{ id: silent.id }]);
      expect((await processes.findById(silent.id))?.silentForMs).toBeGreaterThanOrEqual(
        2 * MINUTE_MS,
      );
      expect((await processes.listRunning()).map(({ id }) => id)).toEqual([silent.id, lively.id]);
      expect(await processes.beat(silent.id)).toBe(true);
      expect(await processes.listSilent(MINUTE_MS)).toEqual([]);
      const started = await processes.findById(silent.id);
      expect(started?.heartbeatAtMs).toBeGreaterThanOrEqual(started?.startedAtMs ?? Infinity);
    });

    test("that have written in the future, before the clock stepped back, are not silent", async () => {
      const { processes } = fixture.store;
      const process = await registered();
      await silence(process, -MINUTE_MS);
      expect(await processes.findById(process.id)).toMatchObject({ silentForMs: 0 });
      expect(await processes.listSilent(0)).toEqual([]);
    });

    test("are ended once, and one that was ended is told so with its next heartbeat", async () => {
      const { processes } = fixture.store;
      const process = await registered();
      const others = Array.from({ length: 4 }, () => fixture.database.open());
      const ends = await Promise.all(others.map((store) => store.processes.end(process.id)));
      expect(ends.filter(Boolean)).toHaveLength(1);
      expect(await processes.beat(process.id)).toBe(false);
      expect(await processes.listRunning()).toEqual([]);
      const found = await processes.findById(process.id);
      expect(found?.stoppedAtMs).toBeGreaterThanOrEqual(found?.startedAtMs ?? Infinity);
      const stranger = ids.create("prc");
      expect(await processes.end(stranger)).toBe(false);
      expect(await processes.beat(stranger)).toBe(false);
      expect(await processes.findById(stranger)).toBeUndefined();
    });

    test("that were ended and live run again once they have registered again", async () => {
      const { processes } = fixture.store;
      const process = await registered();
      const before = await processes.findById(process.id);
      await processes.end(process.id);
      await processes.register(process);
      const after = await processes.findById(process.id);
      expect(after).toMatchObject({ startedAtMs: before?.startedAtMs, stoppedAtMs: null });
      expect(await processes.beat(process.id)).toBe(true);
    });

    test("are forgotten a while after they were ended, however long they are silent before", async () => {
      const { processes } = fixture.store;
      const [old, recent, silent] = [await registered(), await registered(), await registered()];
      await processes.end(old.id);
      await processes.end(recent.id);
      await silence(silent, 10 * MINUTE_MS);
      await fixture.database.execute(
        `update processes set stopped_at_ms = stopped_at_ms - ${2 * MINUTE_MS} where id = '${old.id}'`,
      );
      expect(await processes.removeStopped(MINUTE_MS)).toBe(1);
      expect(await processes.removeStopped(MINUTE_MS)).toBe(0);
      expect(await processes.findById(old.id)).toBeUndefined();
      expect(await processes.findById(recent.id)).toMatchObject({ id: recent.id });
      expect(await processes.listRunning()).toMatchObject([{ id: silent.id }]);
    });
  });
}
