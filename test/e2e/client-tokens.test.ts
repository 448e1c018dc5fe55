/** Client tokens over two real processes on one SQLite file, with the official client as a page in a browser would use it. */
import OpenAI, { APIError } from "openai";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type AdminClient, expectData } from "../../src/admin/client.ts";
import {
  adminOf,
  createHome,
  type Home,
  type KeywardProcess,
  readFirstSecrets,
} from "../support/keyward-process.ts";
import { until } from "../support/poll.ts";

let home: Home;
let processes: readonly KeywardProcess[];
let admin: AdminClient;
let key: string;

beforeAll(async () => {
  home = await createHome();
  const first = await home.start();
  const secrets = readFirstSecrets(first);
  processes = [first, await home.start()];
  admin = adminOf(first, secrets.adminToken);
  const body = { environment: "development", name: "backend" };
  key = expectData(await admin.POST("/keys", { body })).id;
}, 120_000);
afterAll(() => home.remove());

const MODEL = "gpt-4o-mini";

async function makeToken(changes: object = {}): Promise<string> {
  const body = { key, customer: "acme", models: [MODEL], ...changes };
  return expectData(await admin.POST("/client-tokens", { body })).token;
}

/** As it runs in a page of another origin. */
const pageAt = ({ url }: KeywardProcess, apiKey: string) =>
  new OpenAI({
    baseURL: `${url}/v1`,
    apiKey,
    maxRetries: 0,
    dangerouslyAllowBrowser: true,
    defaultHeaders: { origin: "https://app.example", "sec-fetch-site": "cross-site" },
  });

const say = (page: OpenAI) =>
  page.chat.completions.create({ model: MODEL, messages: [{ role: "user", content: "hello" }] });

/** The code that a call is refused with; null: it is answered. */
async function refusalOf(call: PromiseLike<unknown>): Promise<unknown> {
  try {
    await call;
    return null;
  } catch (error) {
    if (!(error instanceof APIError)) throw error;
    return error.code;
  }
}

/** Of a call with it at each process. */
const each = (token: string) =>
  Promise.all(processes.map((keyward) => refusalOf(say(pageAt(keyward, token)))));

it("lets a page call as its customer, at every process, and do nothing else", async () => {
  const token = await makeToken({ feature: "support-chat" });
  for (const keyward of processes) {
    const page = pageAt(keyward, token);
    expect((await say(page)).choices).toHaveLength(1);
    expect(await refusalOf(page.models.list())).toBe("endpoint_not_allowed");
    expect(await refusalOf(page.files.list())).toBe("endpoint_not_allowed");
    expect(await refusalOf(page.chat.completions.list())).toBe("endpoint_not_allowed");
    const other = page.chat.completions.create({ model: "gpt-4o", messages: [] });
    expect(await refusalOf(other)).toBe("model_not_allowed");
  }
  await until("both calls are in the ledger", async () => {
    const query = { customer: "acme", feature: "support-chat" };
    const { data } = expectData(await admin.GET("/usage/events", { params: { query } }));
    return data.length === 2 && data.every(({ keyId }) => keyId === key);
  });
});

it("is made by hand as well, for trying out", async () => {
  const made = await home.run(
    ...`client-tokens create --key ${key} --customer acme --model ${MODEL} --endpoint chat/completions --expires-in 5m --requests 9`.split(
      " ",
    ),
  );
  expect([made.code, made.stderr]).toEqual([0, expect.stringContaining("ctk_")]);
  const [first] = processes;
  if (first === undefined) throw new Error("there are two");
  expect(await refusalOf(say(pageAt(first, made.stdout.trim())))).toBeNull();
});

it("holds a token to its own limit over both processes together", async () => {
  const token = await makeToken({ limits: { requestsPerMinute: 4 } });
  const refusals = await Promise.all(
    Array.from({ length: 10 }, (_, i) => {
      const keyward = processes[i % 2];
      if (keyward === undefined) throw new Error("there are two");
      return refusalOf(say(pageAt(keyward, token)));
    }),
  );
  expect(refusals.filter((code) => code === null)).toHaveLength(4);
  expect(refusals.filter((code) => code === "rate_limit_exceeded")).toHaveLength(6);
  const [first] = processes;
  if (first === undefined) throw new Error("there are two");
  expect(await refusalOf(say(pageAt(first, await makeToken())))).toBeNull();
});

it("ends every token of a customer at every process, and leaves others; then all of the key", async () => {
  const [mine, others] = [await makeToken(), await makeToken({ customer: "globex" })];
  expect([...(await each(mine)), ...(await each(others))]).toEqual([null, null, null, null]);
  const { code } = await home.run("client-tokens", "revoke", "--customer", "acme", "--yes");
  expect(code).toBe(0);
  await until("the customer's is refused everywhere", async () =>
    (await each(mine)).every((refusal) => refusal === "invalid_api_key"),
  );
  expect([...(await each(others)), ...(await each(await makeToken()))]).toEqual([
    null,
    null,
    null,
    null,
  ]);
  expectData(await admin.POST("/keys/{id}/revoke", { params: { path: { id: key } } }));
  await until("those of the key are refused everywhere", async () =>
    (await each(others)).every((refusal) => refusal === "invalid_api_key"),
  );
});
