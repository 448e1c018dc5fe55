/**
 * `npm run bench`: every target carries every workload, in rounds that are interleaved, so that what disturbs the
 * machine disturbs all of them. Times alone are noise on a shared machine; ratios within a round and CPU time per
 * call are what is compared.
 */
import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { parseArgs } from "node:util";
import { runLoad } from "./load/load.ts";
import { cpuMicrosOf, processTreeOf, residentMegabytesOf } from "./measure/process-usage.ts";
import { percentileOf } from "./measure/statistics.ts";
import { formatReport, type Measurement } from "./report.ts";
import { bare } from "./targets/bare.ts";
import { direct } from "./targets/direct.ts";
import { fastify } from "./targets/fastify.ts";
import { guarded, keyward } from "./targets/keyward.ts";
import { nginx } from "./targets/nginx.ts";
import { portkey } from "./targets/portkey.ts";
import type { RunningTarget, Target, TargetContext } from "./targets/target.ts";
import { formatTurns, runInTurns, type SideBySide } from "./turns.ts";
import { createRequest, WORKLOADS, type Workload } from "./workloads.ts";

const TARGETS: readonly Target[] = [direct, bare, keyward, guarded, nginx, fastify, portkey];
/** Targets have this core to themselves; load and upstream share the other. */
const TARGET_CORE = "0";
const LOAD_CORE = "1";
/** For latencies; the load before them has its own (`--warm-up`). */
const CALM_WARM_UP_MS = 2_000;
/** Latency is taken where nobody waits in a queue: connections that pause between calls, after a rest. */
const CALM_PAUSE_MS = 20;
const REST_MS = 1_000;

const { values: options } = parseArgs({
  options: {
    targets: { type: "string", default: TARGETS.map(({ name }) => name).join(",") },
    workloads: { type: "string", default: WORKLOADS.map(({ name }) => name).join(",") },
    rounds: { type: "string", default: "3" },
    seconds: { type: "string", default: "5" },
    /** Seconds under load before anything is counted: V8 compiles on other threads for many thousands of calls. */
    "warm-up": { type: "string", default: "12" },
    rivals: { type: "string", default: join(tmpdir(), "keyward-bench-rivals") },
    json: { type: "boolean", default: false },
    /** Instead of rounds: all targets at once, so many turns of each. */
    turns: { type: "string" },
    "turn-ms": { type: "string", default: "400" },
    /** Folder for CPU profiles of the targets that run on Node; figures taken with it are not comparable. */
    profile: { type: "string" },
  },
});

const children = new Set<ChildProcess>();

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

function pinned(core: string, command: string, args: readonly string[]): [string, string[]] {
  return process.platform === "linux"
    ? ["taskset", ["-c", core, command, ...args]]
    : [command, [...args]];
}

async function startUpstream(): Promise<{ readonly port: number; readonly child: ChildProcess }> {
  const program = join(import.meta.dirname, "upstream/upstream.ts");
  const child = spawn(...pinned(LOAD_CORE, process.execPath, [program]), {
    stdio: ["ignore", "pipe", "inherit"],
  });
  children.add(child);
  const [data] = (await once(child.stdout, "data")) as [Buffer];
  return { port: Number(data.toString()), child };
}

function createContext(upstreamPort: number, directory: string): TargetContext {
  return {
    upstreamPort,
    directory,
    rivalsDirectory: options.rivals,
    spawn: (command, args, how = {}) => {
      const isProfiled = options.profile !== undefined && command === process.execPath;
      const profiling = isProfiled ? ["--cpu-prof", `--cpu-prof-dir=${options.profile}`] : [];
      const child = spawn(...pinned(TARGET_CORE, command, [...profiling, ...args]), {
        cwd: how.cwd ?? directory,
        env: { PATH: process.env["PATH"] ?? "", HOME: directory, ...how.env },
        stdio: ["ignore", "pipe", "pipe"],
      });
      child.stdout.resume();
      child.stderr.resume();
      children.add(child);
      return child;
    },
  };
}

async function end(child: ChildProcess): Promise<void> {
  children.delete(child);
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.kill("SIGTERM");
  await exited;
}

async function measure(
  target: Target,
  workload: Workload,
  running: RunningTarget,
): Promise<Omit<Measurement, "round" | "readyMs" | "idleMegabytes">> {
  const request = createRequest(running.path, running.headers, workload.body);
  const common = { port: running.port, request, minBodyBytes: workload.minBodyBytes };
  const pids = running.pid === 0 ? [] : processTreeOf(running.pid);
  let cpuBefore = 0;
  let cpuMicros = 0;
  const full = await runLoad(
    {
      ...common,
      connections: workload.connections,
      warmUpMs: Number(options["warm-up"]) * 1000,
      measuredMs: Number(options.seconds) * 1000,
      pauseMs: 0,
    },
    {
      onStart: () => (cpuBefore = cpuMicrosOf(pids)),
      onEnd: () => (cpuMicros = cpuMicrosOf(pids) - cpuBefore),
    },
  );
  const loadedMegabytes = residentMegabytesOf(pids);
  await setTimeout(REST_MS);
  const calm = await runLoad(
    {
      ...common,
      connections: workload.calmConnections,
      pauseMs: CALM_PAUSE_MS,
      warmUpMs: CALM_WARM_UP_MS,
      measuredMs: Number(options.seconds) * 1000,
    },
    { onStart: () => undefined, onEnd: () => undefined },
  );
  const units = full.responses * workload.unitsAResponse;
  return {
    target: target.name,
    workload: workload.name,
    responses: full.responses,
    unitsASecond: (units * 1000) / full.measuredMs,
    cpuMicrosAUnit: cpuMicros / units,
    firstByteP50Ms: percentileOf(calm.firstBytesMs, 50),
    firstByteP99Ms: percentileOf(calm.firstBytesMs, 99),
    loadedMegabytes,
  };
}

async function runTarget(
  target: Target,
  workloads: readonly Workload[],
  upstreamPort: number,
): Promise<Omit<Measurement, "round">[]> {
  const directory = await mkdtemp(join(tmpdir(), "keyward-bench-"));
  const before = new Set(children);
  const measurements: Omit<Measurement, "round">[] = [];
  try {
    const running = await target.start(createContext(upstreamPort, directory));
    const idleMegabytes = running.pid === 0 ? 0 : residentMegabytesOf(processTreeOf(running.pid));
    let responses = 0;
    for (const workload of workloads) {
      say(`  ${target.name}: ${workload.title}`);
      try {
        const measured = await measure(target, workload, running);
        responses += measured.responses;
        measurements.push({ ...measured, readyMs: running.readyMs, idleMegabytes });
      } catch (err) {
        if (target.isRival !== true) throw err;
        say(`  without ${target.name} here: ${(err as Error).message}`);
      }
    }
    await running.verify?.(responses);
  } finally {
    for (const child of children) if (!before.has(child)) await end(child);
    await rm(directory, { recursive: true, force: true });
  }
  return measurements;
}

async function runSideBySide(
  targets: readonly Target[],
  workload: Workload,
  upstreamPort: number,
): Promise<string> {
  const before = new Set(children);
  const directories: string[] = [];
  const started: SideBySide[] = [];
  try {
    for (const target of targets) {
      const directory = await mkdtemp(join(tmpdir(), "keyward-bench-"));
      directories.push(directory);
      const running = await target.start(createContext(upstreamPort, directory));
      started.push({ title: target.title, running });
    }
    const plan = {
      workload,
      turns: Number(options.turns),
      turnMs: Number(options["turn-ms"]),
      warmUpMs: Number(options["warm-up"]) * 1000,
    };
    const figures = await runInTurns(started, plan);
    for (const [index, { running }] of started.entries()) {
      await running.verify?.(figures[index]?.responses ?? 0);
    }
    return formatTurns(figures, plan);
  } finally {
    for (const child of children) if (!before.has(child)) await end(child);
    for (const directory of directories) await rm(directory, { recursive: true, force: true });
  }
}

function chosen<Item extends { readonly name: string }>(
  items: readonly Item[],
  names: string,
): Item[] {
  return names.split(",").map((name) => {
    const item = items.find((one) => one.name === name);
    if (item === undefined) {
      throw new Error(`there is no ${name}; there are ${items.map((one) => one.name).join(", ")}`);
    }
    return item;
  });
}

async function main(): Promise<void> {
  const workloads = chosen(WORKLOADS, options.workloads);
  if (process.platform === "linux") {
    execFileSync("taskset", ["-cp", LOAD_CORE, String(process.pid)], { stdio: "ignore" });
  }
  await mkdir(options.rivals, { recursive: true });
  const targets: Target[] = [];
  for (const target of chosen(TARGETS, options.targets)) {
    const obstacle = await target.prepare({ rivalsDirectory: options.rivals });
    if (obstacle === undefined) targets.push(target);
    else say(`without ${target.name}: ${obstacle}`);
  }
  const upstream = await startUpstream();
  if (options.turns !== undefined) {
    for (const workload of workloads) {
      process.stdout.write(`${await runSideBySide(targets, workload, upstream.port)}\n`);
    }
    return;
  }
  const measurements: Measurement[] = [];
  for (let round = 1; round <= Number(options.rounds); round += 1) {
    say(`round ${round} of ${options.rounds}`);
    for (const target of targets) {
      const measured = await runTarget(target, workloads, upstream.port);
      measurements.push(...measured.map((one) => ({ ...one, round })));
    }
  }
  const report = options.json
    ? JSON.stringify(measurements, null, 2)
    : formatReport(measurements, { targets, workloads });
  process.stdout.write(`${report}\n`);
}

try {
  await main();
} finally {
  for (const child of children) await end(child);
}
