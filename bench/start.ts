/** What a start costs, and a command: wall time, CPU time of all threads, resident memory. Of what is built, as it ships. */
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

const figures: Figures = new Map();
for (let round = 0; round < ROUNDS; round += 1) await measure(figures);
for (const [name, values] of figures) {
  const { min, median, max } = spreadOf(values);
  const [least, middle, most] = [min, median, max].map((value) => value.toFixed(0));
  process.stdout.write(`${name.padEnd(28)} ${middle} (${least} to ${most})\n`);
}

async function measure(into: Figures): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), "keyward-bench-"));
  try {
    await measureStart("first start", directory, into);
    await measureStart("later start", directory, into);
    for (const words of COMMANDS) {
      const startedAt = performance.now();
      const child = run(words, directory);
      const [code] = (await once(child, "exit")) as [number | null];
      if (code !== 0) throw new Error(`keyward ${words.join(" ")} ended with ${code}`);
      note(into, `keyward ${words.join(" ")}, ms`, performance.now() - startedAt);
    }
  } finally {
    await rm(directory, { recursive: true });
  }
}

async function measureStart(name: string, directory: string, into: Figures): Promise<void> {
  const child = run(["start", "--port", "0"], directory);
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

function run(words: readonly string[], directory: string): ChildProcess {
  return spawn(process.execPath, [CLI, ...words], {
    cwd: directory,
    env: { PATH: process.env["PATH"], HOME: directory, KEYWARD_LOG_LEVEL: "warn" },
    stdio: ["ignore", "pipe", "ignore"],
  });
}

function note(into: Figures, name: string, value: number): void {
  into.set(name, [...(into.get(name) ?? []), value]);
}
