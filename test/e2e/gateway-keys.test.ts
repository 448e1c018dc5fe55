/** The life of a gateway key over two real processes on one SQLite file, with the official client calling all the while. */
import OpenAI, { APIError } from "openai";
import { afterAll, beforeAll, expect, it } from "vitest";
import { expectData, type AdminClient } from "../../src/admin/client.ts";
import {
  adminOf,
  createHome,
  readFirstSecrets,
  type Home,
  type KeywardProcess,
} from "../support/keyward-process.ts";
import { until } from "../support/poll.ts";

let home: Home;
let processes: readonly KeywardProcess[];
let admin: AdminClient;

beforeAll(async () => {
  home = await createHome();
  const first = await home.start();
  const secrets = readFirstSecrets(first);
  processes = [first, await home.start()];
  admin = adminOf(first, secrets.adminToken);
}, 120_000);
afterAll(() => home.remove());

const clientOf = ({ url }: KeywardProcess, apiKey: string) =>
  new OpenAI({ baseURL: `${url}/v1`, apiKey, maxRetries: 0 });

const ask = (client: OpenAI, headers: Record<string, string> = {}) =>
  client.chat.completions.create(
    { model: "gpt-4o-mini", messages: [{ role: "user", content: "hello" }] },
    { headers },
  );

/** The code that a call is refused with; null: it is answered. */
async function refusalOf(client: OpenAI, headers?: Record<string, string>): Promise<unknown> {
  try {
    await ask(client, headers);
    return null;
  } catch (error) {
    if (!(error instanceof APIError)) throw error;
    return error.code;
  }
}

async function createKey(name: string) {
  const body = { environment: "development", name };
  return expectData(await admin.POST("/keys", { body }));
}

it("is rotated under load: no call of either secret fails until the overlap ends, and the old one's then", async () => {
  const { id, key: oldSecret } = await createKey("rotated");
  let apiKey = oldSecret;
  const load = { isOver: false };
  let answered = 0;
  const callers = processes.map(async (keyward) => {
    while (!load.isOver) {
      await ask(clientOf(keyward, apiKey));
      answered += 1;
    }
  });
  await until("calls are answered", () => answered >= 4);
  const params = { path: { id } };
  const body = { overlapSeconds: 3600 };
  const rotated = expectData(await admin.POST("/keys/{id}/rotate", { params, body }));
  for (const keyward of processes) await ask(clientOf(keyward, rotated.key));
  const before = answered;
  await until("the old secret goes on being answered", () => answered >= before + 4);
  apiKey = rotated.key;
  // Every call that begins from now on has the new one.
  const switched = answered;
  await until("the new secret is answered", () => answered >= switched + 6);
  expectData(await admin.POST("/keys/{id}/end-overlap", { params }));
  for (const keyward of processes) {
    await until("the old secret is refused", async () => {
      const code = await refusalOf(clientOf(keyward, oldSecret));
      return code === "api_key_rotated";
    });
  }
  load.isOver = true;
  // None of the callers has met a refusal.
  await Promise.all(callers);
  await until("every call is in the ledger, under the one key", async () => {
    const query = { groupBy: "key" } as const;
    const { data } = expectData(await admin.GET("/usage/summary", { params: { query } }));
    const calls = data.reduce((sum, row) => sum + row.calls, 0);
    return calls >= answered + 2 && data.length === 1 ? data : undefined;
  });
  const used = expectData(await admin.GET("/keys/{id}", { params }));
  expect(used.lastUsedAt).not.toBeNull();
  expect(used.oldSecrets).toEqual([]);
}, 60_000);

it("is refused in a browser from when the policy says so, in every process, and the official client never", async () => {
  const { id, key } = await createKey("policed");
  const browser = { origin: "https://app.example", "sec-fetch-site": "cross-site" };
  for (const keyward of processes) {
    expect(await refusalOf(clientOf(keyward, key), browser)).toBeNull();
  }
  const params = { path: { id: "development" } };
  const body = { rules: { no_browser_calls: "enforce" } } as const;
  expectData(await admin.PATCH("/environments/{id}/policy", { params, body }));
  for (const keyward of processes) {
    const client = clientOf(keyward, key);
    await until("a browser is refused", async () => {
      return (await refusalOf(client, browser)) === "browser_call_refused";
    });
    expect(await refusalOf(client)).toBeNull();
  }
  const { violations } = await until("what it did is shown", async () => {
    const policy = expectData(await admin.GET("/environments/{id}/policy", { params }));
    return policy.violations.length >= 2 ? policy : undefined;
  });
  expect(violations.map(({ mode, subject }) => [mode, subject.id])).toEqual([
    ["enforce", id],
    ["warn", id],
  ]);
}, 60_000);

it("is revoked with all whose name begins alike, in every process", async () => {
  const keys = [await createKey("ci-1"), await createKey("ci-2")];
  const clients = keys.flatMap(({ key }) => processes.map((keyward) => clientOf(keyward, key)));
  for (const client of clients) expect(await refusalOf(client)).toBeNull();
  const body = { namePrefix: "ci-" };
  const revoked = expectData(await admin.POST("/keys/revoke", { body }));
  expect(revoked).toMatchObject({ count: 2, isComplete: true });
  for (const client of clients) {
    await until("the key is refused", async () => (await refusalOf(client)) === "invalid_api_key");
  }
}, 60_000);
