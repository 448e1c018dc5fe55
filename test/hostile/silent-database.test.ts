/** A database that takes every question and answers none. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { expectData } from "../../src/admin/client.ts";
import { adminOf } from "../support/keyward-process.ts";
import { listEvents } from "../support/list-events.ts";
import { until } from "../support/poll.ts";
import { startPostgres, type TestPostgres } from "../support/postgres.ts";
import { besiege, type BesiegedKeyward } from "./support/besieged-keyward.ts";
import { expectRefusal } from "./support/expect-refusal.ts";
import { exchange } from "./support/raw-connection.ts";
import { startSilentRelay, type SilentRelay } from "./support/silent-relay.ts";

const ADMIN_TOKEN = ["test", "admin", "token", "of", "the", "settings"].join("-");

let postgres: TestPostgres;
let relay: SilentRelay;
let besieged: BesiegedKeyward;
beforeAll(async () => {
  postgres = await startPostgres();
  relay = await startSilentRelay(await postgres.createDatabase());
  besieged = await besiege({
    KEYWARD_DATABASE_URL: relay.url,
    KEYWARD_ADMIN_TOKEN: ADMIN_TOKEN,
    KEYWARD_LOG_LEVEL: "error",
  });
}, 120_000);
afterAll(async () => {
  await besieged.close();
  await relay.close();
  await postgres.stop();
});

const adminRequest = (target: string, token: string): string =>
  `GET ${target} HTTP/1.1\r\nhost: keyward.test\r\nauthorization: Bearer ${token}\r\n\r\n`;

/** Changes arrive in order: when a revocation has, so have those that were made before it. */
async function changesHaveArrived(): Promise<void> {
  const { admin, url } = besieged;
  const created = expectData(
    await admin.POST("/keys", { body: { environment: "development", name: "the last change" } }),
  );
  /** No call: the key is looked up, and then the body is found to be none. */
  const lookUp = async (): Promise<number> => {
    const headers = { authorization: `Bearer ${created.key}` };
    const res = await fetch(`${url}/v1/chat/completions`, { method: "POST", headers, body: "-" });
    return res.status;
  };
  expect(await lookUp()).toBe(400);
  expectData(await admin.POST("/keys/{id}/revoke", { params: { path: { id: created.id } } }));
  await until("the revocation has arrived", async () => (await lookUp()) === 401);
}

test("is answered for with 503 by the admin API within its deadline, while calls go on; nothing of them is lost", async () => {
  const { url, adminToken } = besieged;
  await changesHaveArrived();
  expect((await exchange(url, besieged.request())).responses[0]?.status).toBe(200);
  relay.silence();

  // A token of the store, one of the settings, a read and a write: none waits for the driver to give up.
  const asked = [
    adminRequest("/api/v1/keys", adminToken),
    adminRequest("/api/v1/usage/summary", ADMIN_TOKEN),
    `POST /api/v1/projects HTTP/1.1\r\nhost: keyward.test\r\nauthorization: Bearer ${ADMIN_TOKEN}\r\ncontent-type: application/json\r\ncontent-length: 12\r\n\r\n{"name":"p"}`,
  ];
  await Promise.all(
    asked.map(async (bytes) => {
      const { responses } = await exchange(url, bytes);
      expectRefusal(responses[0], { status: 503, code: "store_unavailable" });
    }),
  );
  // Known to be away by now: the next one is told at once.
  const { responses } = await exchange(url, adminRequest("/api/v1/keys", ADMIN_TOKEN));
  expectRefusal(responses[0], { status: 503, code: "store_unavailable" });
  expect((await exchange(url, adminRequest("/api/v1/openapi.json", ""))).responses[0]?.status).toBe(
    200,
  );
  expect((await fetch(`${url}/readyz`)).status).toBe(503);
  expect((await exchange(url, besieged.request())).responses[0]?.status).toBe(200);

  relay.heal();
  await until("it is ready again", async () => (await fetch(`${url}/readyz`)).ok, 30_000);
  const admin = adminOf(besieged.keyward, ADMIN_TOKEN);
  const events = await until(
    "both calls are in the database",
    async () => {
      const found = await listEvents(admin);
      return found.length === 2 ? found : undefined;
    },
    30_000,
  );
  expect(events.map(({ status }) => status)).toEqual(["succeeded", "succeeded"]);
}, 120_000);

test("does not keep the process from stopping; what it was not told is told at the next start", async () => {
  const { home, keyward, url } = besieged;
  relay.silence();
  expect((await exchange(url, besieged.request())).responses[0]?.status).toBe(200);
  keyward.child.kill("SIGTERM");
  expect(await keyward.exited()).toBe(0);
  relay.heal();
  const again = await home.start();
  const events = await listEvents(adminOf(again, ADMIN_TOKEN));
  expect(events.map(({ status }) => status)).toEqual(["succeeded", "succeeded", "succeeded"]);
}, 120_000);
