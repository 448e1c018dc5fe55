/** `keyward tail` against real servers: what it shows, how it ends, and what it says when a server dies under it. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { afterEach, expect, test, vi } from "vitest";
import {
  CLI,
  createHome,
  readFirstSecrets,
  type FirstSecrets,
  type Home,
} from "../support/keyward-process.ts";
import { until } from "../support/poll.ts";

vi.setConfig({ testTimeout: 120_000 });
let home: Home;
const children: ChildProcess[] = [];
afterEach(async () => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
  await home.remove();
});

interface Tail {
  readonly child: ChildProcess;
  stdout(): string;
  stderr(): string;
  /** What was printed with `--json`. */
  items(): { kind: string; call?: Record<string, unknown> }[];
}

function startTail(env: Record<string, string>, ...args: string[]): Tail {
  const child = spawn(process.execPath, [CLI, "tail", ...args], {
    cwd: home.directory,
    env: { ...home.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  children.push(child);
  let [stdout, stderr] = ["", ""];
  child.stdout.on("data", (piece: Buffer) => (stdout += piece.toString()));
  child.stderr.on("data", (piece: Buffer) => (stderr += piece.toString()));
  return {
    child,
    stdout: () => stdout,
    stderr: () => stderr,
    items: () =>
      stdout
        .split("\n")
        .slice(0, -1)
        .map((line) => JSON.parse(line) as never),
  };
}

async function say({ baseUrl, gatewayKey }: FirstSecrets, words: string, customer: string) {
  const answer = await fetch(`${baseUrl}/chat/completions`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${gatewayKey}`,
      "content-type": "application/json",
      "x-keyward-customer": customer,
    },
    body: JSON.stringify({ model: "gpt-4o-mini", messages: [{ role: "user", content: words }] }),
  });
  return answer.text();
}

test("shows calls and refusals as they end, and neither words nor keys; Control-C ends it well", async () => {
  home = await createHome();
  const keyward = await home.start();
  const secrets = readFirstSecrets(keyward);
  const env = { KEYWARD_URL: keyward.url, KEYWARD_ADMIN_TOKEN: secrets.adminToken };
  const people = startTail(env);
  const machines = startTail(env, "--json", "--customer", "acme");
  await until("both listen", () => people.stdout() !== "" && machines.stdout() !== "", 30_000);

  const answer = await say(secrets, "a well-kept secret", "acme");
  await say(secrets, "something else", "other");
  const stranger = { ...secrets, gatewayKey: "sk-none" };
  await say(stranger, "let me in", "nobody");
  await until("all three are shown", () => people.stdout().includes("invalid_api_key"), 30_000);
  await until("the one is told", () => machines.items().length === 2, 30_000);

  const lines = people.stdout().trimEnd().split("\n");
  expect(lines).toHaveLength(4);
  expect(lines[1]).toMatch(/succeeded +development +chat\.completions +gpt-4o-mini.* acme /);
  expect(machines.items()).toMatchObject([
    { kind: "opened" },
    { kind: "call", call: { customer: "acme", status: "succeeded", environment: "development" } },
  ]);
  const { choices } = JSON.parse(answer) as { choices: { message: { content: string } }[] };
  const shown = [people, machines].map((one) => one.stdout() + one.stderr()).join("");
  for (const hidden of ["well-kept", choices[0]?.message.content ?? "", secrets.gatewayKey]) {
    expect(hidden).not.toBe("");
    expect(shown).not.toContain(hidden);
  }

  for (const tail of [people, machines]) {
    tail.child.kill("SIGINT");
    await once(tail.child, "close");
    expect(tail.child.exitCode).toBe(0);
    expect(tail.stderr()).toBe("");
  }
});

test("waits for a server that was killed, and says what may be missing", async () => {
  home = await createHome();
  const first = await home.start();
  const secrets = readFirstSecrets(first);
  const { port } = new URL(first.url);
  const tail = startTail({ KEYWARD_PORT: port, KEYWARD_ADMIN_TOKEN: secrets.adminToken }, "--json");
  await until("it listens", () => tail.stdout() !== "", 30_000);
  await first.kill();
  await until("it has seen that", () => tail.stderr().includes("has gone away"), 30_000);
  // The last flag counts.
  await home.start({ args: ["--port", port] });
  await until("it listens again", () => tail.items().length === 2, 30_000);
  await say(secrets, "hello again", "acme");
  await until("it tells of calls again", () => tail.items().length === 3, 30_000);
  expect(tail.items()).toMatchObject([
    { kind: "opened" },
    { kind: "gap", isOtherProcess: true },
    { kind: "call", call: { customer: "acme" } },
  ]);
  expect(tail.stderr()).toMatch(/may be missing here: keyward usage events --from \S+ --to \S+\n$/);
  tail.child.kill("SIGTERM");
  await once(tail.child, "close");
  expect(tail.child.exitCode).toBe(0);
});

test("says what to do where no server runs, and where it has no token", async () => {
  home = await createHome();
  // A port that was free a moment ago.
  const keyward = await home.start();
  const { port } = new URL(keyward.url);
  const here = startTail({ KEYWARD_PORT: port });
  await once(here.child, "close");
  expect(here.child.exitCode).toBe(1);
  expect(here.stderr()).toContain("needs a token\nnext: set KEYWARD_ADMIN_TOKEN");

  await keyward.stop();
  const nowhere = startTail({ KEYWARD_PORT: port });
  await once(nowhere.child, "close");
  expect(nowhere.child.exitCode).toBe(1);
  expect(nowhere.stdout()).toBe("");
  expect(nowhere.stderr()).toBe(
    `error: no server runs at http://127.0.0.1:${port}\nnext: \`keyward start\` starts one here; \`--url\` names another\n`,
  );
});
