/** Prices, policies and corrections as they reach a server that runs, from another process. */
import OpenAI, { PermissionDeniedError } from "openai";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectData, type AdminClient } from "../../src/admin/client.ts";
import {
  adminOf,
  createHome,
  readFirstSecrets,
  type Home,
  type KeywardProcess,
} from "../support/keyward-process.ts";
import { until } from "../support/poll.ts";
import { startPostgres, type TestPostgres } from "../support/postgres.ts";
import { respondJson, startUpstream, type Upstream } from "../support/upstream.ts";

const ANSWER = {
  id: "chatcmpl-1",
  object: "chat.completion",
  choices: [{ index: 0, message: { role: "assistant", content: "hi" }, finish_reason: "stop" }],
  usage: { prompt_tokens: 1_000_000, completion_tokens: 0, total_tokens: 1_000_000 },
};

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startPostgres();
}, 120_000);
afterAll(() => postgres.stop());

describe.each(["sqlite", "postgres"])("on %s", (store) => {
  let home: Home;
  let keyward: KeywardProcess;
  let admin: AdminClient;
  let client: OpenAI;
  let upstream: Upstream;

  beforeAll(async () => {
    upstream = await startUpstream((_req, res, seen) => {
      const { model } = JSON.parse(seen.body.toString()) as { model: string };
      respondJson({ ...ANSWER, id: `chatcmpl-${upstream.seen.length}`, model })(_req, res, seen);
    });
    home = await createHome(
      store === "postgres" ? { KEYWARD_DATABASE_URL: await postgres.createDatabase() } : {},
    );
    keyward = await home.start();
    const secrets = readFirstSecrets(keyward);
    admin = adminOf(keyward, secrets.adminToken);
    client = new OpenAI({ baseURL: secrets.baseUrl, apiKey: secrets.gatewayKey, maxRetries: 0 });
    const account = expectData(
      await admin.POST("/provider-accounts", {
        body: {
          name: "main",
          provider: "openai",
          kind: "organization",
          baseUrl: `${upstream.url}/v1`,
        },
      }),
    );
    expectData(
      await admin.POST("/provider-keys", {
        body: {
          accountId: account.id,
          environment: "development",
          name: "main",
          secret: ["sk", "test", "0123456789abcdefghijklmn"].join("-"),
        },
      }),
    );
    await costOf("gpt-4o-mini", "0.15");
  }, 120_000);
  afterAll(async () => {
    await home.remove();
    await upstream.close();
  });

  const runWords = (words: string) => home.run(...words.split(" "));
  const ask = (model: string) =>
    client.chat.completions.create({ model, messages: [{ role: "user", content: "hi" }] });

  /** Calls until one costs that much; each of them is an event. */
  async function costOf(model: string, expected: string): Promise<void> {
    await until(
      `a call costs ${expected}`,
      async () => {
        const { response } = await ask(model)
          .withResponse()
          .catch(() => ({ response: undefined }));
        return response?.headers.get("x-keyward-cost-usd") === expected;
      },
      20_000,
    );
  }

  it("an override set by another process reaches the server without a restart, and so does its end", async () => {
    const words =
      "prices override --provider openai --model gpt-4o-mini --input 0.1 --output 0.4 --json";
    const set = await home.spawn(...words.split(" "));
    expect(set).toMatchObject({ code: 0, stderr: "" });
    const { id } = JSON.parse(set.stdout) as { id: string };
    await costOf("gpt-4o-mini", "0.1");
    const estimate = await runWords("estimate --model gpt-4o-mini --input 1000000 --json");
    expect(JSON.parse(estimate.stdout)).toMatchObject({ costUsd: "0.1" });
    expect((await home.run("prices", "overrides")).stdout).toContain(id);
    expect((await home.run("prices", "end", id)).code).toBe(0);
    await costOf("gpt-4o-mini", "0.15");
  });

  const summaryOf = async () => {
    const { data } = expectData(
      await admin.GET("/usage/summary", {
        params: { query: { groupBy: "model", model: "house-model-8" } },
      }),
    );
    return data[0];
  };

  it("past calls are priced again, once, and every sum is the same number", async () => {
    await ask("house-model-8");
    await until("the call is in the store", async () => (await summaryOf()) !== undefined);
    expect(await summaryOf()).toMatchObject({ unpricedCalls: 1, costUsd: null });
    await runWords(
      "prices override --provider openai --model house-model-* --input 2 --output 4 --from 2026-01-01",
    );
    const words = "prices reprice --from 2026-01-01 --model house-model-8";
    const dry = await runWords(`${words} --dry-run --json`);
    expect(JSON.parse(dry.stdout)).toMatchObject({ corrected: 1, differenceUsd: "2" });
    expect(await summaryOf()).toMatchObject({ unpricedCalls: 1 });
    expect(await runWords(words)).toMatchObject({ code: 1 });
    const done = await runWords(`${words} --yes --json`);
    expect(JSON.parse(done.stdout)).toMatchObject({ corrected: 1, newlyPriced: 1 });
    expect(await summaryOf()).toMatchObject({ unpricedCalls: 0, costUsd: "2" });
    const again = await runWords(`${words} --yes`);
    expect(again.stdout).toMatch(/^corrected +0$/m);
    const listed = await runWords("prices corrections");
    expect(listed.stdout).toContain("$2");
  });

  it("a policy set by another process refuses models without a price within moments", async () => {
    const set = await runWords("environments set-policy development --unpriced refuse --json");
    expect(set.code).toBe(0);
    await until("a call is refused", async () => {
      const refused = await ask("orphan-model-7").catch((err: unknown) => err);
      return refused instanceof PermissionDeniedError && refused.code === "model_unpriced";
    });
    await costOf("gpt-4o-mini", "0.15");
    await home.run("environments", "set-policy", "development", "--unpriced", "allow_and_alert");
    await until("a call is let through", async () => {
      const answer = await ask("orphan-model-7").catch(() => undefined);
      return answer?.model === "orphan-model-7";
    });
  });
});
