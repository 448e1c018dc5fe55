/**
 * `kill -9` at random moments under load: no call that the upstream counted may be missing, and none may be there twice.
 * The long form: `KEYWARD_CRASH_ROUNDS=50 npx vitest run test/e2e/crash.test.ts`.
 */
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { request } from "undici";
import { afterAll, beforeAll, expect, it } from "vitest";
import { expectData, type AdminClient } from "../../src/admin/client.ts";
import { adminOf, createHome, readFirstSecrets, type Home } from "../support/keyward-process.ts";
import { listEvents } from "../support/list-events.ts";
import { until } from "../support/poll.ts";
import { startUpstream, type Upstream } from "../support/upstream.ts";

/** What fits into the suite. */
const SHORT = 5;
const ROUNDS = Number(process.env["KEYWARD_CRASH_ROUNDS"] ?? SHORT);
const TIMEOUT_MS = 60_000 + ROUNDS * 30_000;
const CONCURRENCY = 16;

let upstream: Upstream;
let home: Home;
/** Calls that the upstream carried out, by the name that the call went by. */
const carriedOut: string[] = [];

beforeAll(async () => {
  upstream = await startUpstream((_req, res, seen) => {
    const body = JSON.parse(seen.body.toString()) as { user: string; stream?: boolean };
    carriedOut.push(body.user);
    const id = `chatcmpl-${body.user}`;
    const usage = { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 };
    if (body.stream !== true) {
      res.setHeader("content-type", "application/json");
      res.end(JSON.stringify({ id, model: "gpt-4o-mini", choices: [], usage }));
      return;
    }
    res.writeHead(200, { "content-type": "text/event-stream" });
    const chunk = (more: object): string =>
      `data: ${JSON.stringify({ id, model: "gpt-4o-mini", choices: [{ delta: { content: "hi " } }], ...more })}\n\n`;
    res.write(chunk({}));
    setImmediate(() => {
      res.write(chunk({}));
      res.end(`${chunk({ choices: [], usage })}data: [DONE]\n\n`);
    });
  });
  home = await createHome();
}, 60_000);
afterAll(async () => {
  await home.remove();
  await upstream.close();
});

it(
  `has exactly one event for each call of ${ROUNDS} rounds that were killed`,
  async () => {
    const setUp = await home.start();
    const secrets = readFirstSecrets(setUp);
    await addUpstream(adminOf(setUp, secrets.adminToken));
    await setUp.stop();

    for (let round = 0; round < ROUNDS; round += 1) {
      const keyward = await home.start();
      const before = carriedOut.length;
      const load = runLoad(`${keyward.url}/v1`, secrets.gatewayKey, round);
      await until("the upstream is under load", () => carriedOut.length > before + CONCURRENCY);
      // The moment is what is random here; nothing is waited for.
      await delay(Math.random() * 150);
      await keyward.kill();
      await load;
    }

    const keyward = await home.start();
    const admin = adminOf(keyward, secrets.adminToken);
    const events = await listEvents(admin);
    const byCall = new Map<string, number>();
    for (const { customer } of events)
      byCall.set(customer ?? "", (byCall.get(customer ?? "") ?? 0) + 1);
    const missing = carriedOut.filter((call) => !byCall.has(call));
    const twice = [...byCall].filter(([, count]) => count > 1);
    expect({ missing, twice }).toEqual({ missing: [], twice: [] });
    expect(new Set(carriedOut).size).toBe(carriedOut.length);
    expect(new Set(events.map((event) => event.usageSource))).toContain("reported");
    for (const event of events) {
      expect(["reported", "estimated", "unknown", "none"]).toContain(event.usageSource);
    }
    const { data } = expectData(await admin.GET("/usage/summary", { params: { query: {} } }));
    expect(data[0]?.calls).toBe(events.length);
    await keyward.stop();
  },
  TIMEOUT_MS,
);

async function addUpstream(admin: AdminClient): Promise<void> {
  const account = expectData(
    await admin.POST("/provider-accounts", {
      body: { name: "local", provider: "openai", kind: "personal", baseUrl: `${upstream.url}/v1` },
    }),
  );
  expectData(
    await admin.POST("/provider-keys", {
      body: {
        accountId: account.id,
        environment: "development",
        name: "local",
        secret: ["sk", "local", "b".repeat(20)].join("-"),
      },
    }),
  );
}

/** Calls until the gateway is gone. */
async function runLoad(baseUrl: string, key: string, round: number): Promise<void> {
  const worker = async (index: number): Promise<void> => {
    for (let call = 0; ; call += 1) {
      const user = `round-${round}-worker-${index}-call-${call}`;
      try {
        const res = await request(`${baseUrl}/chat/completions`, {
          method: "POST",
          headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
          body: JSON.stringify({
            model: "gpt-4o-mini",
            messages: [],
            user,
            stream: call % 2 === 1,
          }),
        });
        res.body.on("error", () => undefined);
        res.body.resume();
        await once(res.body, "close");
      } catch {
        return;
      }
      if (call > 100_000) throw new Error("the gateway was never killed");
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, (_, index) => worker(index)));
}
