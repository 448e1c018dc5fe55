/** A real Keyward: `keyward start` in a process of its own, in a directory of its own. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { createAdminClient, type AdminClient } from "../../src/admin/client.ts";
import { COMPILE_CACHE } from "./compile-cache.ts";
import { until } from "./poll.ts";
import { type CliRun, runCliHere } from "./run-cli-here.ts";
import { createScratchDirectory } from "./scratch-directory.ts";

export const CLI = join(import.meta.dirname, "../../src/cli/main.ts");

export interface KeywardProcess {
  readonly url: string;
  readonly child: ChildProcess;
  /** Everything that was printed so far, on both outputs. */
  output(): string;
  stdout(): string;
  /** Resolves with the exit code, null after a signal. */
  exited(): Promise<number | null>;
  stop(): Promise<void>;
  kill(): Promise<void>;
}

export interface Home {
  readonly directory: string;
  readonly env: Record<string, string>;
  /** Ends what was started in it and removes it. */
  remove(): Promise<void>;
  /** `keyward start` with a free port; resolves when it serves. */
  start(options?: StartOptions): Promise<KeywardProcess>;
  /** Any other command, in this process. */
  run(...args: string[]): Promise<CliRun>;
  /** The same in a process of its own, which takes a second: for what the program as such has to show. */
  spawn(...args: string[]): Promise<CliRun>;
}

export interface StartOptions {
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** The upstreams of tests are on this machine; a test about that rule sets it to nothing. */
const BASE = { KEYWARD_ALLOWED_PRIVATE_HOSTS: "127.0.0.1", ...COMPILE_CACHE };

/** There for what hangs: a start takes a second, and many times that on a machine that is busy. */
const START_DEADLINE_MS = 60_000;

/** An empty directory, as on a fresh machine: nothing of this process's environment but the path reaches it. */
export async function createHome(env: Readonly<Record<string, string>> = {}): Promise<Home> {
  const directory = await createScratchDirectory("keyward-home-");
  const base = { ...BASE, PATH: process.env["PATH"] ?? "", HOME: directory, ...env };
  const started: KeywardProcess[] = [];
  return {
    directory,
    env: base,
    start: async (options = {}) => {
      const keyward = spawnStart(directory, { ...base, ...options.env }, options.args ?? []);
      started.push(keyward);
      await until(
        "keyward serves",
        async () => {
          if (keyward.child.exitCode !== null)
            throw new Error(`keyward exited:\n${keyward.output()}`);
          return isReady(keyward);
        },
        START_DEADLINE_MS,
      );
      return keyward;
    },
    run: (...args) => runCliHere(directory, args, { env: base }),
    spawn: (...args) => run(directory, base, args),
    remove: async () => {
      for (const keyward of started) await keyward.kill();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

function spawnStart(
  cwd: string,
  env: Record<string, string>,
  args: readonly string[],
): KeywardProcess {
  const child = spawn(process.execPath, [CLI, "start", "--port", "0", ...args], {
    cwd,
    env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  const exited = async (): Promise<number | null> => {
    if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
    return child.exitCode;
  };
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal);
    await exited();
  };
  return {
    get url() {
      return /http:\/\/127\.0\.0\.1:\d+/.exec(stdout)?.[0] ?? "";
    },
    child,
    output: () => stdout + stderr,
    stdout: () => stdout,
    exited,
    stop: () => end("SIGTERM"),
    kill: () => end("SIGKILL"),
  };
}

async function isReady(keyward: KeywardProcess): Promise<boolean> {
  if (keyward.url === "") return false;
  const res = await fetch(`${keyward.url}/readyz`).catch(() => undefined);
  return res?.ok === true;
}

async function run(
  cwd: string,
  env: Record<string, string>,
  args: readonly string[],
): Promise<CliRun> {
  const child = spawn(process.execPath, [CLI, ...args], {
    cwd,
    env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  const [code] = (await once(child, "close")) as [number | null];
  return { code, stdout, stderr };
}

/** What the first start prints, once. */
export interface FirstSecrets {
  readonly baseUrl: string;
  readonly gatewayKey: string;
  readonly adminToken: string;
}

export function readFirstSecrets(keyward: KeywardProcess): FirstSecrets {
  const text = keyward.stdout();
  return {
    baseUrl: found(text, /OPENAI_BASE_URL=(\S+)/),
    gatewayKey: found(text, /OPENAI_API_KEY=(kw_dev_\w+)/),
    adminToken: found(text, /(kw_admin_\w+)/),
  };
}

function found(text: string, pattern: RegExp): string {
  const match = pattern.exec(text)?.[1];
  if (match === undefined) throw new Error(`no ${pattern} in:\n${text}`);
  return match;
}

export function adminOf(keyward: KeywardProcess, token: string): AdminClient {
  return createAdminClient({ baseUrl: keyward.url, token });
}
