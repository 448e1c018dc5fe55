import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { LogOfTest } from "../../../test/support/ledger-under-test.ts";
import { until } from "../../../test/support/poll.ts";
import { configSchema } from "../../config/config-schema.ts";
import { RestartPace } from "../../core/processes/restart-pace.ts";
import { StartError } from "../start-error.ts";
import type { StartReport } from "../start-report.ts";
import { supervise, type Supervisor } from "./supervisor.ts";

const PROGRAM = join(import.meta.dirname, "../../../test/support/worker-program.mjs");

/** As many deaths as ever, in less time. */
class QuickPace extends RestartPace {
  override died(lifeMs: number): number {
    return Math.min(super.died(lifeMs), 1);
  }
}

let directory: string;
let log: LogOfTest;
let reports: StartReport[];
let supervisor: Supervisor;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "supervisor-"));
  log = new LogOfTest();
  reports = [];
});
afterEach(async () => {
  await supervisor.stop();
  await rm(directory, { recursive: true });
});

function start(manner: string, workers: number): Supervisor {
  supervisor = supervise({
    program: PROGRAM,
    programArguments: [manner, join(directory, "marker")],
    workers,
    order: { config: configSchema.parse({}) },
    sharing: "kernel",
    log: {
      debug: () => {},
      info: log.info.bind(log),
      warn: log.warn.bind(log),
      error: log.error.bind(log),
    },
    monotonicMs: () => performance.now(),
    createPace: () => new QuickPace(),
    onServing: (report) => reports.push(report),
  });
  // A test that does not ask for it must not fail of it.
  supervisor.ended.catch(() => undefined);
  return supervisor;
}

const serving = () => log.lines.filter((line) => line.includes("serves")).length;

describe("the supervisor", () => {
  it("starts the first worker, then the others, and announces them once", async () => {
    const { ended } = start("serves", 3);
    await until("all workers serve", () => reports.length > 0);
    expect(serving()).toBe(3);
    expect(reports).toMatchObject([{ port: 1 }]);
    await supervisor.stop();
    await expect(ended).resolves.toBeUndefined();
  });

  it("starts a worker again that dies, whatever it dies of, and announces nothing anew", async () => {
    start("dies-once", 2);
    await until("the other one serves as well", () => serving() === 3);
    expect(log.lines.filter((line) => line.includes("started again"))).toHaveLength(1);
    expect(reports).toHaveLength(1);
  });

  it("gives the first worker's own reason when that one cannot start, and tries no more", async () => {
    const { ended } = start("refuses", 2);
    await expect(ended).rejects.toThrow(new StartError("The disk is on fire.", "Put it out."));
    expect(reports).toEqual([]);
    expect(log.lines).toEqual([]);
  });

  it("says how the first worker ended that gave no reason", async () => {
    const { ended } = start("dies-first", 2);
    await expect(ended).rejects.toThrow(/exit code 7 while it started/);
  });

  it("ends with an error when no worker stays alive, after some attempts and not for ever", async () => {
    const { ended } = start("dies", 1);
    await expect(ended).rejects.toThrow(/No worker stays alive: .* 8 times .* signal SIGKILL/);
    expect(reports).toHaveLength(1);
    expect(serving()).toBe(8);
  });
});
