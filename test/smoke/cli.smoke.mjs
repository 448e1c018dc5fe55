/** The built package, as npm would install it: dist/ alone, without a TypeScript file in reach. */
import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { cpSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { after } from "node:test";
import { promisify } from "node:util";

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

void test("starts, answers a call from the simulator, meters it in its worker threads, and stops", async () => {
  const child = spawn(process.execPath, [cli, "start", "--port", "0"], {
    ...options,
    stdio: ["ignore", "pipe", "inherit"],
  });
  let output = "";
  child.stdout.on("data", (chunk) => (output += chunk));
  const found = async (pattern) => {
    for (;;) {
      const match = pattern.exec(output);
      if (match) return match[1];
      if (child.exitCode !== null) throw new Error(`keyward ended:\n${output}`);
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  const baseUrl = await found(/OPENAI_BASE_URL=(\S+)/);
  const key = await found(/OPENAI_API_KEY=(\S+)/);
  const answer = await fetch(`${baseUrl}/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    body: JSON.stringify({ model: "gpt-4o-mini", messages: [{ role: "user", content: "hello" }] }),
  });
  assert.equal(answer.status, 200);
  assert.equal(answer.headers.get("x-keyward-cost-usd"), "0");
  await answer.text();
  const ended = new Promise((resolve) => child.once("exit", (code) => resolve(code)));
  child.kill("SIGTERM");
  assert.equal(await ended, 0);
  const events = await run(process.execPath, [cli, "usage", "events", "--json"], options);
  assert.equal(JSON.parse(events.stdout).data.length, 1);
});
