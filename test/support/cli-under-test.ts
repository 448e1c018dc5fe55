/** The command line client in this process, on an installation of its own in a temporary directory. */
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { afterEach, beforeEach, vi } from "vitest";
import type { CliIo } from "../../src/cli/cli-io.ts";
import { reportFailure } from "../../src/cli/report-failure.ts";
import { runCli } from "../../src/cli/run-cli.ts";
import { IdFactory } from "../../src/core/ids/ids.ts";
import { DATABASE_FILE, prepareDataDirectory } from "../../src/runtime/data-directory.ts";
import { ensureFirstRun, type FirstRun } from "../../src/runtime/first-run.ts";
import { openStore } from "../../src/runtime/open-store.ts";
import { openVault } from "../../src/runtime/open-vault.ts";
import type { Store } from "../../src/store/store.ts";
import { writeMigratedDatabase } from "./migrated-database.ts";

export const NOW_MS = Date.UTC(2026, 0, 31, 9, 30, 0);

export interface CliRun {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CliRunOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** What stands on standard input, or is typed when `isInteractive`. */
  readonly stdin?: string;
  readonly isInteractive?: boolean;
  readonly stopped?: AbortSignal;
}

export interface CliUnderTest {
  /** The working directory; empty until `install`. */
  readonly cwd: string;
  readonly dataDir: string;
  run(argv: readonly string[], options?: CliRunOptions): Promise<CliRun>;
  /** Runs with `--json` and parses what was printed. Throws unless the exit code is 0. */
  json(argv: readonly string[], options?: CliRunOptions): Promise<unknown>;
  /** What a first start makes, without a server. */
  install(): Promise<FirstRun>;
  withStore<Result>(work: (store: Store) => Promise<Result>): Promise<Result>;
}

/** A fresh directory for every test of the file. */
export function cliUnderTest(): CliUnderTest {
  // A test runs many commands, each of which opens a database: more than the usual time, on a machine that is busy.
  vi.setConfig({ testTimeout: 60_000 });
  let cwd = "";
  beforeEach(() => {
    cwd = mkdtempSync(join(tmpdir(), "keyward-cli-"));
  });
  afterEach(() => rmSync(cwd, { recursive: true, force: true }));

  const run = (argv: readonly string[], options: CliRunOptions = {}): Promise<CliRun> =>
    runIn(cwd, argv, options);
  const location = () => ({ dataDir: join(cwd, ".keyward"), databaseUrl: null, rootKey: null });
  return {
    get cwd() {
      return cwd;
    },
    get dataDir() {
      return location().dataDir;
    },
    run,
    async json(argv, options) {
      const { code, stdout, stderr } = await run([...argv, "--json"], options);
      if (code !== 0) throw new Error(`exit code ${code}:\n${stderr}`);
      return JSON.parse(stdout) as unknown;
    },
    install: () => install(location()),
    async withStore(work) {
      const store = await openStore(location());
      try {
        return await work(store);
      } finally {
        await store.close();
      }
    },
  };
}

async function install(location: {
  dataDir: string;
  databaseUrl: null;
  rootKey: null;
}): Promise<FirstRun> {
  await prepareDataDirectory(location.dataDir);
  await writeMigratedDatabase(join(location.dataDir, DATABASE_FILE));
  const store = await openStore(location);
  try {
    const ids = new IdFactory({ nowMs: Date.now, randomBytes });
    await openVault({ config: location, store, ids });
    const first = await ensureFirstRun({ store, ids, nowMs: Date.now, randomBytes });
    if (first === undefined) throw new Error("there was an installation already");
    return first;
  } finally {
    await store.close();
  }
}

/** One command in a directory, whatever is in it. */
export async function runIn(
  cwd: string,
  argv: readonly string[],
  { env = {}, stdin, isInteractive = false, stopped }: CliRunOptions,
): Promise<CliRun> {
  const input = new PassThrough();
  input.end(stdin);
  const [stdout, stderr] = [collect(), collect()];
  const io: CliIo = {
    stdin: input,
    stdout: stdout.stream,
    stderr: stderr.stream,
    env,
    cwd,
    nodeVersion: process.version,
    nowMs: () => NOW_MS,
    stopped: stopped ?? new AbortController().signal,
    isInteractive,
    hasColor: { stdout: false, stderr: false },
    columns: null,
  };
  let code = 0;
  try {
    await runCli(argv, io);
  } catch (error) {
    code = reportFailure(error, io);
  }
  return { code, stdout: stdout.text(), stderr: stderr.text() };
}

function collect(): { stream: PassThrough; text: () => string } {
  const pieces: Buffer[] = [];
  const stream = new PassThrough();
  stream.on("data", (piece: Buffer) => pieces.push(piece));
  return { stream, text: () => Buffer.concat(pieces).toString("utf8") };
}
