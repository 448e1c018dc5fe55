/** Two workers on one Postgres: what is changed through one of them reaches both, whatever is cut. */
import { Client } from "pg";
import { Agent, request } from "undici";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type AdminClient, expectData } from "../../src/admin/client.ts";
import {
  openStreams,
  sendDevelopmentTo,
  startEndlessUpstream,
} from "../support/endless-streams.ts";
import {
  adminOf,
  createHome,
  readFirstSecrets,
  type Home,
  type KeywardProcess,
} from "../support/keyward-process.ts";
import { until } from "../support/poll.ts";
import { startPostgres, type TestPostgres } from "../support/postgres.ts";

/** Connections by which both workers are reached, whatever the kernel does. */
const CONNECTIONS = 24;

let server: TestPostgres;
let database: Client;
let home: Home;
let keyward: KeywardProcess;
let admin: AdminClient;
const agents = Array.from({ length: CONNECTIONS }, () => new Agent({ connections: 1 }));

beforeAll(async () => {
  server = await startPostgres();
  const url = await server.createDatabase();
  database = new Client({ connectionString: url });
  await database.connect();
  home = await createHome({ KEYWARD_DATABASE_URL: url });
  keyward = await home.start({ args: ["--processes", "2"] });
  admin = adminOf(keyward, readFirstSecrets(keyward).adminToken);
}, 120_000);
afterAll(async () => {
  await Promise.all(agents.map((agent) => agent.close()));
  await home.remove();
  await database.end();
  await server.stop();
}, 60_000);

/** The statuses that the two workers answer a call with, on connections that stay with one worker each. */
async function statusesWith(key: string): Promise<Set<number>> {
  const calls = agents.map(async (dispatcher) => {
    const headers = { authorization: `Bearer ${key}` };
    const res = await request(`${keyward.url}/v1/models`, { headers, dispatcher });
    await res.body.dump();
    return res.statusCode;
  });
  return new Set(await Promise.all(calls));
}

async function createKey(name: string): Promise<{ id: string; key: string }> {
  const body = { environment: "development", name };
  const { id, key } = expectData(await admin.POST("/keys", { body }));
  expect(await statusesWith(key)).toEqual(new Set([200]));
  return { id, key };
}

/** Revokes the key, and waits until no worker takes it. (How long that takes is measured by bench/change-latency.ts.) */
async function revoke({ id, key }: { id: string; key: string }): Promise<void> {
  const params = { path: { id } };
  expectData(await admin.POST("/keys/{id}/revoke", { params }));
  const refused = async (): Promise<boolean> => {
    const statuses = await statusesWith(key);
    return statuses.size === 1 && statuses.has(401);
  };
  await until("both workers refuse the key", refused, 5_000);
}

async function listeners(): Promise<number[]> {
  const { rows } = await database.query<{ pid: number }>(
    "select pid from pg_stat_activity where application_name = 'keyward changes'",
  );
  return rows.map(({ pid }) => pid);
}

it("refuses a revoked key everywhere, also with every listening connection cut", async () => {
  await until("both workers listen", async () => (await listeners()).length === 2);
  await revoke(await createKey("announced"));

  const cut = await createKey("cut");
  const before = await listeners();
  for (const pid of before) await database.query("select pg_terminate_backend($1)", [pid]);
  await revoke(cut);
  await until("both workers listen again", async () => {
    const now = await listeners();
    return now.length === 2 && !now.some((pid) => before.includes(pid));
  });
}, 60_000);

it("brings the calls of a worker that is killed into the database, once, by the other one", async () => {
  const { id, key } = await createKey("counted");
  const { processes } = expectData(await admin.GET("/status"));
  const victim = processes.find(({ isAnswering }) => !isAnswering);
  if (victim === undefined) throw new Error("there is no other process");
  const count = async (): Promise<number> => {
    const { rows } = await database.query<{ count: string }>(
      "select count(*) from usage_events where gateway_key_id = $1",
      [id],
    );
    return Number(rows[0]?.count);
  };
  await statusesWith(key);
  process.kill(victim.pid, "SIGKILL");
  await until("the process is ended by the other", async () => {
    const { rows } = await database.query(
      "select 1 from processes where id = $1 and stopped_at_ms is not null",
      [victim.id],
    );
    return rows.length === 1;
  });
  // Made with `createKey`, and once more above.
  await until("all calls are there", async () => (await count()) === 2 * CONNECTIONS);
}, 60_000);

it("cuts the streams of a revoked key in every worker, told of it or not", async () => {
  const upstream = await startEndlessUpstream();
  await sendDevelopmentTo(admin, upstream);
  for (const isCut of [false, true]) {
    const { id, key } = await createStreamsKey(isCut ? "streams, cut" : "streams");
    const streams = await openStreams(keyward.url, key, 50);
    if (isCut) {
      for (const pid of await listeners()) {
        await database.query("select pg_terminate_backend($1)", [pid]);
      }
    }
    expectData(await admin.POST("/keys/{id}/revoke", { params: { path: { id } } }));
    expect(await streams.ended).toHaveLength(50);
    await streams.close();
  }
  await until("the provider is rid of them", async () => (await upstream.connections()) === 0);
  await upstream.close();
}, 60_000);

async function createStreamsKey(name: string): Promise<{ id: string; key: string }> {
  return expectData(await admin.POST("/keys", { body: { environment: "development", name } }));
}
