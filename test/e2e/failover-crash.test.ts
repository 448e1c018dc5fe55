/** `kill -9` between two attempts of one call: what was refused and what may have been carried out are both on record. */
import { request } from "undici";
import { afterAll, beforeAll, expect, it } from "vitest";
import { expectData } from "../../src/admin/client.ts";
import { adminOf, createHome, readFirstSecrets, type Home } from "../support/keyward-process.ts";
import { until } from "../support/poll.ts";
import { respondJson, startUpstream, type Upstream } from "../support/upstream.ts";

let refusing: Upstream;
let silent: Upstream;
let home: Home;

beforeAll(async () => {
  refusing = await startUpstream(respondJson({ error: { message: "oops" } }, 500));
  silent = await startUpstream(() => undefined);
  home = await createHome();
}, 60_000);
afterAll(async () => {
  await home.remove();
  await refusing.close();
  await silent.close();
});

it("leaves a failed event of no cost for the first attempt and an unknown one for the second", async () => {
  const options = { env: { KEYWARD_ALLOWED_PRIVATE_HOSTS: "127.0.0.1" } };
  const setUp = await home.start(options);
  const secrets = readFirstSecrets(setUp);
  const admin = adminOf(setUp, secrets.adminToken);
  for (const [name, upstream, weight, letter] of [
    ["refusing", refusing, 1, "a"],
    ["silent", silent, 0, "b"],
  ] as const) {
    const { id: accountId } = expectData(
      await admin.POST("/provider-accounts", {
        body: { name, provider: "openai", kind: "personal", baseUrl: `${upstream.url}/v1` },
      }),
    );
    const secret = ["sk", name, letter.repeat(20)].join("-");
    const key = { accountId, environment: "development", name, secret, weight };
    expectData(await admin.POST("/provider-keys", { body: key }));
  }
  await setUp.stop();

  const keyward = await home.start(options);
  const headers = {
    authorization: `Bearer ${secrets.gatewayKey}`,
    "content-type": "application/json",
  };
  const body = JSON.stringify({ model: "gpt-4o-mini", messages: [] });
  const url = `${keyward.url}/v1/chat/completions`;
  const call = request(url, { method: "POST", headers, body }).catch(() => undefined);
  await until("the second attempt is under way", () => silent.seen.length === 1);
  await keyward.kill();
  await call;

  const again = await home.start(options);
  const { data } = expectData(
    await adminOf(again, secrets.adminToken).GET("/usage/events", {
      params: { query: { limit: 1000 } },
    }),
  );
  const [second, first, ...more] = data;
  expect(more).toEqual([]);
  expect(first).toMatchObject({
    attempt: 1,
    status: "failed",
    httpStatus: 500,
    usageSource: "none",
    costUsd: expect.stringMatching(/^0(\.0+)?$/),
  });
  expect(second).toMatchObject({
    attempt: 2,
    requestId: first?.requestId,
    status: "unknown",
    usageSource: "unknown",
    costUsd: null,
  });
  expect(second?.providerKeyId).not.toBe(first?.providerKeyId);
  await again.stop();
}, 120_000);
