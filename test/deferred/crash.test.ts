/** `kill -9`, restarts and two processes on one database: work is charged once. Real processes, and nobody who reads. */
import { once } from "node:events";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { request } from "undici";
import { afterAll, beforeAll, expect, it } from "vitest";
import { expectData } from "../../src/admin/client.ts";
import {
  adminOf,
  createHome,
  readFirstSecrets,
  type FirstSecrets,
  type Home,
  type KeywardProcess,
} from "../support/keyward-process.ts";
import { until } from "../support/poll.ts";
import { startUpstream, type Upstream } from "../support/upstream.ts";

let upstream: Upstream;
let home: Home;
let secrets: FirstSecrets;
let begun = 0;
/** While it is set, the provider takes the question and does not answer. */
let isSilent = false;

const USAGE = { input_tokens: 1000, output_tokens: 500, total_tokens: 1500 };

beforeAll(async () => {
  upstream = await startUpstream((req, res, seen) => {
    const isBegun = req.method === "POST";
    if (!isBegun && isSilent) return;
    if (isBegun) begun += 1;
    if (isBegun && seen.body.includes('"stream":true')) {
      const response = { id: `resp_${begun}`, background: true, status: "queued" };
      res.writeHead(200, { "content-type": "text/event-stream" });
      res.write(`data: ${JSON.stringify({ type: "response.created", response })}\n\n`);
      return;
    }
    const id = isBegun ? `resp_${begun}` : (req.url?.split("/").at(-1) ?? "");
    const state = isBegun ? { status: "queued" } : { status: "completed", usage: USAGE };
    res.writeHead(200, { "content-type": "application/json" });
    res.end(JSON.stringify({ id, model: "gpt-4o-mini", background: true, output: [], ...state }));
  });
  home = await createHome();
  const keyward = await home.start();
  secrets = readFirstSecrets(keyward);
  const admin = adminOf(keyward, secrets.adminToken);
  const account = { name: "ours", provider: "openai", kind: "personal" } as const;
  const { id: accountId } = expectData(
    await admin.POST("/provider-accounts", { body: { ...account, baseUrl: `${upstream.url}/v1` } }),
  );
  const secret = ["sk", "ours", "a".repeat(20)].join("-");
  const key = { accountId, environment: "development", name: "ours", secret };
  expectData(await admin.POST("/provider-keys", { body: key }));
  await keyward.stop();
}, 60_000);
afterAll(async () => {
  await home.remove();
  await upstream.close();
});

async function begin(keyward: KeywardProcess, isStream = false): Promise<void> {
  const res = await request(`${keyward.url}/v1/responses`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${secrets.gatewayKey}`,
      "content-type": "application/json",
    },
    body: JSON.stringify({
      model: "gpt-4o-mini",
      input: "think",
      background: true,
      ...(isStream && { stream: true }),
    }),
  });
  expect(res.statusCode).toBe(200);
  if (!isStream) {
    await res.body.text();
    return;
  }
  // To its first event, which has the id; and it never ends by itself.
  res.body.on("error", () => undefined);
  await once(res.body, "data");
}

async function charges(keyward: KeywardProcess) {
  const admin = adminOf(keyward, secrets.adminToken);
  const { data } = expectData(
    await admin.GET("/usage/events", { params: { query: { limit: 1000 } } }),
  );
  return data.filter(({ operation }) => operation === "responses.deferred");
}

async function pending(keyward: KeywardProcess) {
  const admin = adminOf(keyward, secrets.adminToken);
  return expectData(await admin.GET("/usage/pending", { params: { query: {} } })).data;
}

async function journalHas(text: string): Promise<boolean> {
  const journal = join(home.directory, ".keyward", "journal");
  for (const entry of await readdir(journal, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    if ((await readFile(join(entry.parentPath, entry.name), "utf8")).includes(text)) return true;
  }
  return false;
}

it("charges work whose process was killed before and after it was written down, once each", async () => {
  const first = await home.start();
  await begin(first);
  await begin(first, true);
  await until("the stream's work is in the journal", () => journalHas("resp_2"));
  await first.kill(); // In the journal, the stream as an open call, and not all of it in the database.
  isSilent = true;
  const second = await home.start();
  await begin(second);
  await until("both are pending", async () => (await pending(second)).length === 3);
  await second.kill();
  isSilent = false;
  const [third, fourth] = await Promise.all([home.start(), home.start()]);
  await begin(fourth);
  await until("all of it is charged", async () => (await charges(third)).length >= 4, 90_000);
  await until("nothing is pending", async () => (await pending(third)).length === 0);
  await third.kill();
  await fourth.stop();
  const last = await home.start();
  const charged = await charges(last);
  expect(charged).toHaveLength(4);
  expect(new Set(charged.map(({ providerResponseId: id }) => id))).toEqual(
    new Set(["resp_1", "resp_2", "resp_3", "resp_4"]),
  );
  for (const { costUsd } of charged) expect(Number(costUsd)).toBe(0.00045);
  const { data } = expectData(
    await adminOf(last, secrets.adminToken).GET("/usage/summary", { params: { query: {} } }),
  );
  expect(data).toHaveLength(1);
  expect(Number(data[0]?.costUsd)).toBe(0.0018);
  await last.stop();
}, 180_000);
