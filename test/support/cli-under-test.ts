/** The command line client in this process, on an installation of its own in a temporary directory. */
import { randomBytes } from "node:crypto";
import { rmSync } from "node:fs";
import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, vi } from "vitest";
import { IdFactory } from "../../src/core/ids/ids.ts";
import { DATABASE_FILE, prepareDataDirectory } from "../../src/runtime/data-directory.ts";
import { ensureFirstRun, type FirstRun } from "../../src/runtime/first-run.ts";
import { openStore } from "../../src/runtime/open-store.ts";
import { openVault } from "../../src/runtime/open-vault.ts";
import type { Store } from "../../src/store/store.ts";
import { writeMigratedDatabase } from "./migrated-database.ts";
import { type CliRun, type CliRunOptions, runCliHere } from "./run-cli-here.ts";
import { createScratchDirectory } from "./scratch-directory.ts";

export const NOW_MS = Date.UTC(2026, 0, 31, 9, 30, 0);

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

interface Location {
  readonly dataDir: string;
  readonly databaseUrl: null;
  readonly rootKey: null;
}

/** A fresh directory for every test of the file. */
export function cliUnderTest(): CliUnderTest {
  // A test runs many commands, each of which opens a database: more than the usual time, on a machine that is busy.
  vi.setConfig({ testTimeout: 60_000 });
  let cwd = "";
  beforeEach(async () => {
    cwd = await createScratchDirectory("keyward-cli-");
  });
  afterEach(() => rmSync(cwd, { recursive: true, force: true }));

  const run = (argv: readonly string[], options: CliRunOptions = {}): Promise<CliRun> =>
    runCliHere(cwd, argv, { nowMs: () => NOW_MS, ...options });
  const location = (): Location => ({
    dataDir: join(cwd, ".keyward"),
    databaseUrl: null,
    rootKey: null,
  });
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
    install: () => install(location().dataDir),
    async withStore(work) {
      const store = await openStore(location(), { isForCommand: true });
      try {
        return await work(store);
      } finally {
        await store.close();
      }
    },
  };
}

/** What a first start leaves in the data directory: made once in a worker, then copied. */
interface Installation {
  readonly files: readonly { readonly name: string; readonly content: Buffer }[];
  readonly first: FirstRun;
}

const PRIVATE_MODE = 0o600;

let installation: Promise<Installation> | undefined;

async function install(dataDir: string): Promise<FirstRun> {
  const { files, first } = await (installation ??= makeInstallation());
  await prepareDataDirectory(dataDir);
  for (const { name, content } of files) {
    await writeFile(join(dataDir, name), content, { mode: PRIVATE_MODE });
  }
  return first;
}

async function makeInstallation(): Promise<Installation> {
  const dataDir = await createScratchDirectory("keyward-installation-");
  try {
    const first = await makeFirstRun({ dataDir, databaseUrl: null, rootKey: null });
    const names = await readdir(dataDir);
    const files = names.map(async (name) => ({
      name,
      content: await readFile(join(dataDir, name)),
    }));
    return { files: await Promise.all(files), first };
  } finally {
    await rm(dataDir, { recursive: true });
  }
}

async function makeFirstRun(location: Location): Promise<FirstRun> {
  await writeMigratedDatabase(join(location.dataDir, DATABASE_FILE));
  const store = await openStore(location, { isForCommand: true });
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
