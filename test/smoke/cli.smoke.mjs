/** The built package, as npm would install it: dist/ alone, without a TypeScript file in reach. */
import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, globSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { after } from "node:test";
import { promisify } from "node:util";
import { Worker } from "node:worker_threads";

const run = promisify(execFile);
const root = join(import.meta.dirname, "../..");
const installed = mkdtempSync(join(tmpdir(), "keyward-smoke-"));
for (const name of ["dist", "package.json"])
  cpSync(join(root, name), join(installed, name), { recursive: true });
symlinkSync(join(root, "node_modules"), join(installed, "node_modules"));
const cli = join(installed, "dist/cli/main.js");
const options = { cwd: installed, env: { PATH: process.env.PATH, HOME: installed } };
after(() => rmSync(installed, { recursive: true, force: true }));

void test("says its version and what a call costs", async () => {
  const version = await run(process.execPath, [cli, "--version"], options);
  assert.match(version.stdout, /^\d+\.\d+\.\d+/);
});

/** Starts with `words`, makes one call, stops; what the ledger has then. */
async function serveOneCall(words) {
  const cwd = mkdtempSync(join(tmpdir(), "keyward-smoke-data-"));
  try {
    const child = spawn(process.execPath, [cli, "start", "--port", "0", ...words], {
      ...options,
      cwd,
      stdio: ["ignore", "pipe", "inherit"],
    });
    let output = "";
    child.stdout.on("data", (chunk) => (output += chunk));
    const ended = new Promise((resolve) => child.once("exit", (code) => resolve(code)));
    const found = async (pattern) => {
      for (;;) {
        const match = pattern.exec(output);
        if (match) return match[1];
        if (child.exitCode !== null) throw new Error(`keyward ended:\n${output}`);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    };
    const baseUrl = await found(/OPENAI_BASE_URL=(\S+)/);
    const key = await found(/OPENAI_API_KEY=(\S+)/);
    const answer = await fetch(`${baseUrl}/chat/completions`, {
      method: "POST",
      headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
      body: JSON.stringify({
        model: "gpt-4o-mini",
        messages: [{ role: "user", content: "hello" }],
      }),
    });
    assert.equal(answer.status, 200);
    assert.equal(answer.headers.get("x-keyward-cost-usd"), "0");
    await answer.text();
    child.kill("SIGTERM");
    assert.equal(await ended, 0);
    const events = await run(process.execPath, [cli, "usage", "events", "--json"], {
      ...options,
      cwd,
    });
    return JSON.parse(events.stdout).data;
  } finally {
    rmSync(cwd, { recursive: true, force: true });
  }
}

void test("starts, answers a call from the simulator, meters it in its worker threads, and stops", async () => {
  assert.equal((await serveOneCall([])).length, 1);
});

void test("starts processes of its own program, which answer and meter", async () => {
  assert.equal((await serveOneCall(["--processes", "2"])).length, 1);
});

void test("has each of its chunks load, whichever is asked for first", async () => {
  for (const chunk of globSync("dist/chunks/*.js", { cwd: installed })) {
    const worker = new Worker(join(installed, chunk));
    await once(worker, "exit");
  }
});

void test("loads what was left outside from node_modules", async () => {
  const url = "postgres://127.0.0.1:1/nowhere";
  const failure = await run(process.execPath, [cli, "start", "--port", "0"], {
    ...options,
    env: { ...options.env, KEYWARD_DATABASE_URL: url },
  }).catch((error) => error);
  assert.equal(failure.code, 1);
  assert.match(failure.stderr, /database/i);
  assert.doesNotMatch(failure.stderr, /fault in Keyward|ERR_MODULE_NOT_FOUND/);
});

void test("has the license text of every package that is built in", () => {
  const licenses = readFileSync(join(installed, "dist/THIRD-PARTY-LICENSES.txt"), "utf8");
  const builtIn = new Set();
  for (const map of globSync("dist/**/*.js.map", { cwd: installed })) {
    const { sources } = JSON.parse(readFileSync(join(installed, map), "utf8"));
    for (const source of sources) {
      const name = /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(source)?.[1];
      if (name !== undefined) builtIn.add(name);
    }
  }
  assert.ok(builtIn.has("undici") && builtIn.has("kysely"));
  for (const name of builtIn) assert.match(licenses, new RegExp(`^${name} \\d.*\\)\n-+\n`, "m"));
});

void test("names source files in the stack of a fault, where source maps are on", async () => {
  const broken = mkdtempSync(join(tmpdir(), "keyward-smoke-broken-"));
  try {
    cpSync(join(installed, "dist"), join(broken, "dist"), { recursive: true });
    const main = join(broken, "dist/cli/main.js");
    const failure = await run(process.execPath, ["--enable-source-maps", main, "--version"], {
      ...options,
      cwd: broken,
    }).catch((error) => error);
    assert.match(failure.stderr, /src\/cli\/version\.ts:\d+/);
  } finally {
    rmSync(broken, { recursive: true, force: true });
  }
});
