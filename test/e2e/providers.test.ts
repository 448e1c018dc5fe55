/** From an account made on the command line to a priced call, through a whole Keyward. */
import Anthropic from "@anthropic-ai/sdk";
import OpenAI from "openai";
import { afterAll, beforeAll, expect, it } from "vitest";
import { expectData } from "../../src/admin/client.ts";
import { ANSWER } from "../support/chat.ts";
import { adminOf, createHome, readFirstSecrets, type Home } from "../support/keyward-process.ts";
import { until } from "../support/poll.ts";
import { respondJson, startUpstream, type Upstream } from "../support/upstream.ts";

const MESSAGE = {
  id: "msg_1",
  type: "message",
  role: "assistant",
  model: "claude-sonnet-4-6",
  content: [{ type: "text", text: "hi" }],
  stop_reason: "end_turn",
  usage: { input_tokens: 1000, output_tokens: 500 },
};

let upstream: Upstream;
let home: Home;
beforeAll(async () => {
  upstream = await startUpstream((req, res, seen) =>
    respondJson(req.url?.startsWith("/v1/messages") === true ? MESSAGE : ANSWER)(req, res, seen),
  );
  home = await createHome();
}, 60_000);
afterAll(async () => {
  await home.remove();
  await upstream.close();
});

it("serves Anthropic's and OpenAI's clients in one environment, each by its own provider", async () => {
  const keyward = await home.start();
  const { gatewayKey, adminToken } = readFirstSecrets(keyward);
  const admin = adminOf(keyward, adminToken);
  const accounts = [
    { name: "az", provider: "azure", baseUrl: upstream.url, apiVersion: "2024-10-21" },
    { name: "claude", provider: "anthropic", baseUrl: `${upstream.url}/v1` },
  ];
  for (const account of accounts) {
    const { id } = expectData(
      await admin.POST("/provider-accounts", { body: { ...account, kind: "organization" } }),
    );
    const secret = ["secret", "of", account.name, "x".repeat(20)].join("-");
    const body = { accountId: id, environment: "development", name: account.name, secret };
    expectData(await admin.POST("/provider-keys", { body }));
  }
  const claude = new Anthropic({ baseURL: keyward.url, apiKey: gatewayKey, maxRetries: 0 });
  const openai = new OpenAI({
    baseURL: `${keyward.url}/v1`,
    apiKey: gatewayKey,
    maxRetries: 0,
  });
  const messages = [{ role: "user" as const, content: "hi" }];
  await until("the keys are in use", async () => {
    const res = await openai.chat.completions.create({ model: "dep", messages });
    return res.id === ANSWER.id && upstream.seen.length > 0;
  });
  await claude.messages.create({ model: "claude-sonnet-4-6", max_tokens: 10, messages });
  const urls = upstream.seen.map(({ url }) => url);
  expect(urls).toContain("/openai/deployments/dep/chat/completions?api-version=2024-10-21");
  expect(urls).toContain("/v1/messages");
  const keyOf = (path: string) => upstream.seen.find(({ url }) => url.startsWith(path))?.headers;
  expect(keyOf("/v1/messages")?.["x-api-key"]).toMatch(/^secret-of-claude-/);
  expect(keyOf("/openai")?.["api-key"]).toMatch(/^secret-of-az-/);
  await until("all calls are in the store", async () => {
    const { data } = expectData(await admin.GET("/usage/events"));
    return ["azure", "anthropic"].every((name) => data.some((event) => event.provider === name));
  });
  const { data } = expectData(await admin.GET("/usage/events"));
  expect(data.find(({ provider }) => provider === "anthropic")).toMatchObject({
    operation: "messages",
    costUsd: "0.0105",
  });
  expect(data.find(({ provider }) => provider === "azure")).toMatchObject({
    servedModel: "gpt-4o-mini-2024-07-18",
    costUsd: "0.0009675",
  });
}, 60_000);
