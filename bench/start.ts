/**
 * What a start costs, and a command: wall time, CPU time of all threads, resident memory. With compiled code kept from the
 * start before (as a user has it) and without any, in turn. Built first, as it ships.
 */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cpuMicrosOf, residentMegabytesOf } from "./measure/process-usage.ts";
import { spreadOf } from "./measure/statistics.ts";
import { whenReady } from "./targets/when-listening.ts";

const CLI = join(import.meta.dirname, "../dist/cli/main.js");
const ROUNDS = 7;
const SETTLED_MS = 1_500;
const COMMANDS = [["--version"], ["keys", "list"], ["status"]];

type Figures = Map<string, number[]>;

const kept: Figures = new Map();
const anew: Figures = new Map();
const caches = await mkdtemp(join(tmpdir(), "keyward-bench-"));
try {
  const withCache = { XDG_CACHE_HOME: caches };
  const without = { NODE_DISABLE_COMPILE_CACHE: "1" };
  await measure(withCache, new Map());
  for (let round = 0; round < ROUNDS; round += 1) {
    await measure(without, anew);
    await measure(withCache, kept);
  }
} finally {
  await rm(caches, { recursive: true });
}
print("compiled anew", anew);
print("compiled code kept", kept);

async function measure(env: Readonly<Record<string, string>>, into: Figures): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), "keyward-bench-"));
  try {
    await measureStart("first start", { directory, env }, into);
    await measureStart("later start", { directory, env }, into);
    for (const words of COMMANDS) {
      const startedAt = performance.now();
      const child = run(words, { directory, env });
      const [code] = (await once(child, "exit")) as [number | null];
      if (code !== 0) throw new Error(`keyward ${words.join(" ")} ended with ${code}`);
      note(into, `keyward ${words.join(" ")}, ms`, performance.now() - startedAt);
    }
  } finally {
    await rm(directory, { recursive: true });
  }
}

interface Place {
  readonly directory: string;
  readonly env: Readonly<Record<string, string>>;
}

async function measureStart(name: string, place: Place, into: Figures): Promise<void> {
  const child = run(["start", "--port", "0"], place);
  let output = "";
  child.stdout?.on("data", (data: Buffer) => (output += data.toString()));
  const readyMs = await whenReady(child, async () => {
    const url = /http:\/\/127\.0\.0\.1:\d+/.exec(output)?.[0];
    return url !== undefined && (await fetch(`${url}/readyz`)).ok;
  });
  const pids = [child.pid as number];
  note(into, `${name} to ready, ms`, readyMs);
  note(into, `${name}, CPU ms`, cpuMicrosOf(pids) / 1_000);
  await new Promise((resolve) => setTimeout(resolve, SETTLED_MS));
  note(into, `${name}, MB at rest`, residentMegabytesOf(pids));
  child.kill("SIGTERM");
  await once(child, "exit");
}

function run(words: readonly string[], { directory, env }: Place): ChildProcess {
  return spawn(process.execPath, [CLI, ...words], {
    cwd: directory,
    env: { PATH: process.env["PATH"], HOME: directory, KEYWARD_LOG_LEVEL: "warn", ...env },
    stdio: ["ignore", "pipe", "inherit"],
  });
}

function note(into: Figures, name: string, value: number): void {
  into.set(name, [...(into.get(name) ?? []), value]);
}

function print(title: string, figures: Figures): void {
  process.stdout.write(`${title}\n`);
  for (const [name, values] of figures) {
    const { min, median, max } = spreadOf(values);
    const [least, middle, most] = [min, median, max].map((value) => value.toFixed(0));
    process.stdout.write(`  ${name.padEnd(28)} ${middle} (${least} to ${most})\n`);
  }
}
