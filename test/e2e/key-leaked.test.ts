/** The guide "A key leaked" as it stands: its commands are run in their order, on a server that is in use. */
import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { request } from "undici";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type AdminClient, expectData } from "../../src/admin/client.ts";
import {
  adminOf,
  createHome,
  type Home,
  type KeywardProcess,
  readFirstSecrets,
} from "../support/keyward-process.ts";
import { OpenaiDouble } from "../support/openai-double.ts";
import { until } from "../support/poll.ts";
import { runCliHere } from "../support/run-cli-here.ts";

const TIMEOUT_MS = 120_000;
const ROOT = join(import.meta.dirname, "../..");

let double: OpenaiDouble;
let server: Server;
let home: Home;
let keyward: KeywardProcess;
let admin: AdminClient;
let leaked: { readonly id: string; readonly key: string };
let providerKeyId: string;

beforeAll(async () => {
  double = new OpenaiDouble();
  server = createServer((req, res) => void answer(req, res));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  home = await createHome();
  keyward = await home.start();
  admin = adminOf(keyward, readFirstSecrets(keyward).adminToken);
  await setUp();
}, TIMEOUT_MS);

afterAll(async () => {
  await home.remove();
  server.closeAllConnections();
  server.close();
});

async function answer(req: IncomingMessage, res: ServerResponse): Promise<void> {
  const body = await text(req);
  const { method = "GET", url = "/", headers } = req;
  const answered = double.answer({
    method,
    path: url,
    authorization: headers.authorization,
    body: body === "" ? undefined : JSON.parse(body),
  });
  res.writeHead(answered.status, { "content-type": "application/json", ...answered.headers });
  res.end(JSON.stringify(answered.body));
}

async function setUp(): Promise<void> {
  const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
  const project = double.addProject("app");
  const account = double.addServiceAccount(project.id, "app");
  const { secret } = double.addKey(project.id, account.id, "first");
  const main = { name: "openai-main", provider: "openai", kind: "organization", baseUrl } as const;
  const { id } = expectData(await admin.POST("/provider-accounts", { body: main }));
  const params = { path: { id } };
  const body = { secret: double.adminKey };
  expectData(await admin.PUT("/provider-accounts/{id}/admin-key", { params, body }));
  const own = { accountId: id, environment: "production", name: "main", secret };
  providerKeyId = expectData(await admin.POST("/provider-keys", { body: own })).id;
  const issued = { environment: "production", name: "support-bot" };
  leaked = expectData(await admin.POST("/keys", { body: issued }));
  const token = { name: "ci", role: "viewer" } as const;
  const made = expectData(await admin.POST("/admin-tokens", { body: token }));
  for (const [name, found] of [
    ["found.txt", leaked.key],
    ["provider-key.txt", secret],
    ["token.txt", made.token],
  ] as const) {
    await writeFile(join(home.directory, name), `${found}\n`);
  }
}

/** The commands of the section under this heading, each with the ids of this installation. */
function commandsOf(heading: string): readonly string[] {
  const page = readFileSync(join(ROOT, "docs/guide/key-leaked.md"), "utf8");
  const start = page.indexOf(`\n${heading}\n`);
  expect([heading, start >= 0]).toEqual([heading, true]);
  const rest = page.slice(start + heading.length + 1);
  const end = rest.search(/\n##+ /);
  const section = end < 0 ? rest : rest.slice(0, end);
  return [...section.matchAll(/```sh\n([^`]*)```/g)]
    .flatMap(([, block = ""]) => block.trim().split("\n"))
    .map((line) =>
      line
        .replaceAll(/\bkey_[0-9A-Z]{26}/g, leaked.id)
        .replaceAll(/\bpky_[0-9A-Z]{26}/g, providerKeyId),
    );
}

async function runAll(heading: string): Promise<string> {
  const commands = commandsOf(heading);
  expect([heading, commands.length > 0]).toEqual([heading, true]);
  let output = "";
  for (const command of commands) output += await run(command);
  return output;
}

/** As somebody types it, in this process: one of its own for each would take seconds. Throws when it fails. */
async function run(line: string): Promise<string> {
  const [, words = "", file] = /^keyward ([^<]+)(?:< (\S+))?$/.exec(line) ?? [];
  expect([line, words]).not.toEqual([line, ""]);
  const argv = [...words.matchAll(/'([^']*)'|(\S+)/g)].map(
    ([, quoted, bare = ""]) => quoted ?? bare,
  );
  const stdin = file === undefined ? "" : readFileSync(join(home.directory, file), "utf8");
  const { code, stdout, stderr } = await runCliHere(home.directory, argv, { env: home.env, stdin });
  expect([line, code, stderr]).toEqual([line, 0, stderr]);
  return stdout + stderr;
}

async function statusOf(apiKey: string): Promise<number> {
  const { statusCode, body } = await request(`${keyward.url}/v1/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${apiKey}`, "content-type": "application/json" },
    body: JSON.stringify({ model: "gpt-4o-mini", messages: [] }),
  });
  await body.dump();
  return statusCode;
}

it(
  "works for a gateway key, from the report to what it was used for",
  { timeout: TIMEOUT_MS },
  async () => {
    expect(await statusOf(leaked.key)).toBe(200);
    const [report = "", list = "", revoke = ""] = commandsOf("### Minute 0: have it refused");
    await run(report);
    await until("the key is refused", async () => (await statusOf(leaked.key)) === 401);
    const listed = await run(list);
    expect(listed).toContain(leaked.id);
    expect(listed).toContain("revoked");
    // Whoever knows the id gets there by this one too; twice changes nothing.
    await run(revoke);
    const made = await runAll("### Minute 2: another key for the application");
    const [key = ""] = /kw_live_[0-9A-Za-z]{49}/.exec(made) ?? [];
    expect(await statusOf(key)).toBe(200);
    await until("the call is in the ledger", async () => {
      const params = { query: { key: leaked.id } };
      return expectData(await admin.GET("/usage/events", { params })).data.length > 0;
    });
    const used = await runAll("### Minute 4: what was it used for?");
    expect(used).toContain("gpt-4o-mini");
    expect(used).toContain("anonymous");
    const policy = await runAll("### Minute 7: what let it out?");
    expect(policy).toContain("leaked_keys");
    expect(await statusOf(key)).toBe(200);
  },
);

it(
  "works for a provider key: replaced while calls go on, deleted at the provider, its users listed",
  { timeout: TIMEOUT_MS },
  async () => {
    const issued = { environment: "production", name: "application" };
    const { key } = expectData(await admin.POST("/keys", { body: issued }));
    expect(await statusOf(key)).toBe(200);
    expect(await runAll("### Minute 0: which one is it?")).toContain(providerKeyId);
    const [old] = double.keys;
    const statuses = new Set<number>();
    const load = { isOver: false };
    const caller = (async () => {
      while (!load.isOver) statuses.add(await statusOf(key));
    })();
    const rotated = await runAll("### Minute 1: replace it");
    load.isOver = true;
    await caller;
    expect([...statuses]).toEqual([200]);
    expect(rotated).toContain("is refused by the provider");
    expect(double.keys.map(({ secret }) => secret)).not.toContain(old?.secret);
    expect(await runAll("### Minute 5: what has used it?")).toContain("application");
  },
);

it(
  "works for an admin token, and ends with a log that is whole",
  { timeout: TIMEOUT_MS },
  async () => {
    const listed = await runAll("## A token");
    expect(listed).toMatch(/adminToken +ci .*revoked/);
    expect(await runAll("## Minute 9: is the record whole?")).toMatch(/whole: \d+ entries/);
  },
);
