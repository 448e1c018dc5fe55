/** The real process: exit codes, what goes to which output, signals. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { COMPILE_CACHE } from "../../test/support/compile-cache.ts";
import { until } from "../../test/support/poll.ts";
import { isSingleCommand } from "./command.ts";
import { NOUNS } from "./nouns.ts";
import { readVersion } from "./version.ts";

const MAIN = join(import.meta.dirname, "main.ts");
// Processes start slowly on a machine that is busy.
vi.setConfig({ testTimeout: 60_000 });

let cwd: string;
let children: ChildProcess[];

beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), "keyward-main-"));
  children = [];
});
afterEach(async () => {
  for (const child of children) {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill("SIGKILL");
      await once(child, "close");
    }
  }
  rmSync(cwd, { recursive: true });
});

function keyward(...args: string[]) {
  const child = spawn(process.execPath, [MAIN, ...args], {
    cwd,
    env: { PATH: process.env["PATH"], ...COMPILE_CACHE },
    stdio: ["ignore", "pipe", "pipe"],
  });
  children.push(child);
  const said = { stdout: "", stderr: "" };
  child.stdout.on("data", (piece: Buffer) => (said.stdout += piece.toString()));
  child.stderr.on("data", (piece: Buffer) => (said.stderr += piece.toString()));
  const closed = once(child, "close") as Promise<[number | null]>;
  return { child, said, ended: async () => ({ code: (await closed)[0], ...said }) };
}

async function portThatWasFree(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

describe("help and version", () => {
  test("are printed on standard output and exit with 0", async () => {
    const [version, help, bare] = await Promise.all([
      keyward("--version").ended(),
      keyward("--help").ended(),
      keyward().ended(),
    ]);
    expect(version).toEqual({ code: 0, stdout: `${readVersion()}\n`, stderr: "" });
    expect(help).toMatchObject({ code: 0, stderr: "" });
    for (const { name, summary } of NOUNS) {
      expect(help.stdout).toMatch(new RegExp(`^  ${name} +${summary.slice(0, 20)}`, "m"));
    }
    expect(bare).toEqual(help);
  });

  test("`help` and `--help` of a command are the same, with its examples", async () => {
    const [long, short] = await Promise.all([
      keyward("help", "keys", "create").ended(),
      keyward("keys", "create", "--help").ended(),
    ]);
    expect(long).toEqual(short);
    expect(long).toMatchObject({ code: 0, stderr: "" });
    expect(long.stdout).toContain("$ keyward keys create --environment development");
  });

  test("no help shows what is not taken", async () => {
    const { stdout } = await keyward("provider-keys", "add", "--help").ended();
    expect(stdout).toContain("--secret-stdin");
    expect(stdout).not.toMatch(/--secret /);
  });
});

describe("usage errors exit with 2, say so on error output and name what is near", () => {
  test.each([
    [["prices", "lst"], "list"],
    [["projcts", "list"], "projects"],
    [["keys", "list", "--enviroment", "x"], "--environment"],
    [["keys", "create", "--environment", "development"], "--name <name>"],
    [["environments", "create", "--name", "x", "--kind", "prod"], "production"],
    [["keys", "list", "--limit", "many"], "--limit"],
    [["simulator", "--json"], "--json"],
    [["vault", "info", "--url", "http://127.0.0.1:1"], "--url"],
    [["keys", "list", "--token", "t"], "--url"],
    [["keys"], "create"],
  ])("%j", async (args, hint) => {
    const { code, stdout, stderr } = await keyward(...args).ended();
    expect(code).toBe(2);
    expect(stdout).toBe("");
    expect(stderr).toContain(hint);
    expect(stderr).not.toContain("    at ");
  });
});

test("a server that is not there exits with 1 and says what to do", async () => {
  const url = `http://127.0.0.1:${await portThatWasFree()}`;
  const words = ["keys", "list", "--url", url, "--token", "any"];
  const { code, stdout, stderr } = await keyward(...words).ended();
  expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
  expect(stderr).toContain(`no answer from ${url} (ECONNREFUSED)`);
  expect(stderr).toContain("keyward start");
});

test("a reader that has seen enough is no failure", async () => {
  const { child, ended } = keyward("prices", "list", "--limit", "1000", "--json");
  child.stdout?.once("data", () => child.stdout?.destroy());
  expect(await ended()).toMatchObject({ code: 0, stderr: "" });
});

test("every command has a summary, and an example that begins with the program's name", async () => {
  for (const noun of NOUNS) {
    const commands = await noun.load();
    const all = isSingleCommand(commands) ? [commands] : Object.values(commands);
    for (const { summary, examples } of all) {
      expect(summary).toMatch(/^[a-z].*[^.]$/);
      expect(examples.join("\n")).toContain("keyward ");
    }
  }
});

test.each(["SIGINT", "SIGTERM"] as const)(
  "%s ends the simulator in an orderly way",
  async (signal) => {
    const { child, said, ended } = keyward("simulator", "--port", "0");
    const url = await until("the simulator serves", () => /http:\S+\/v1/.exec(said.stdout)?.[0]);
    expect((await fetch(`${url}/models`)).status).toBe(200);
    child.kill(signal);
    expect(await ended()).toMatchObject({ code: 0 });
  },
);

test("a port that is taken is named with a way out", async () => {
  const first = keyward("simulator", "--port", "0");
  const port = await until("the first serves", () => /:(\d+)\/v1/.exec(first.said.stdout)?.[1]);
  const { code, stderr } = await keyward("simulator", "--port", port).ended();
  expect(code).toBe(1);
  expect(stderr).toContain(`port ${port}`);
  expect(stderr).toContain("--port");
});
