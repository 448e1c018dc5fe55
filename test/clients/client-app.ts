/** An app of `apps/` in a process of its own. It knows nothing of Keyward: two environment variables are all it is told. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { expect } from "vitest";

const APPS = join(import.meta.dirname, "apps");
/** Past it an app hangs. */
const DEADLINE_MS = 50_000;

interface AppUsage {
  readonly input: number;
  readonly output: number;
}

export interface StepOutcome {
  readonly text: string;
  /** Of one call, or of each where the step makes several; null where the client does not show it. */
  readonly usage: AppUsage | readonly AppUsage[] | null;
}

export interface AppError {
  readonly step: string;
  /** Of the classes that the client's users catch, those that it is an instance of. */
  readonly classes: readonly string[];
  readonly status: number | null;
  readonly code: string | null;
  readonly message: string;
  /** The last of several attempts, where the client wraps it. */
  readonly last: Omit<AppError, "step"> | null;
}

export interface AppReport {
  readonly done: Readonly<Record<string, StepOutcome>>;
  readonly error: AppError | null;
  /** Other machines that it wanted to speak to. */
  readonly outbound: readonly string[];
}

/** Runs the app to its end. `env` is its whole environment but for `PATH`. */
export async function runApp(
  name: string,
  env: Readonly<Record<string, string>>,
): Promise<AppReport> {
  const guard = join(APPS, "loopback-only.mjs");
  const child = spawn(process.execPath, ["--import", guard, join(APPS, `${name}.mjs`)], {
    env: { PATH: process.env["PATH"] ?? "", ...env },
    stdio: ["ignore", "pipe", "pipe"],
    timeout: DEADLINE_MS,
  });
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  const [code] = (await once(child, "close")) as [number | null];
  expect(code, `${name} ended badly:\n${stdout}${stderr}`).toBe(0);
  const outbound = [...stderr.matchAll(/^outbound connection: (\S+)$/gm)].map(([, host]) => host);
  return { ...(JSON.parse(stdout) as AppReport), outbound: outbound.map(String) };
}
