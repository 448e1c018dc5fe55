import { randomBytes } from "node:crypto";
import { Webhook } from "standardwebhooks";
import { afterEach, beforeEach, expect, test } from "vitest";
import {
  type AlertReceiver,
  answerWith,
  startAlertReceiver,
} from "../../../test/support/alert-receiver.ts";
import { HOSTILE_NAME, sampleMessage, sampleNotice } from "../../../test/support/alert-samples.ts";
import { createSigningSecret } from "../../core/alerts/alert-channel.ts";
import { createAllowedHosts } from "../../core/network/allowed-hosts.ts";
import { createGuardedAgent } from "../../proxy/upstream.ts";
import { createWebhookSender } from "./webhook-sender.ts";

let receiver: AlertReceiver;
let close: () => Promise<void>;

beforeEach(async () => {
  receiver = await startAlertReceiver();
  close = () => receiver.close();
});
afterEach(() => close());

/** The sender with the guard that it has in a gateway. */
function senderWith(allowed: readonly string[], timeoutMs?: number) {
  const dispatcher = createGuardedAgent({
    connectTimeoutMs: 1_000,
    headersTimeoutMs: 5_000,
    bodyIdleTimeoutMs: 5_000,
    allowedHosts: createAllowedHosts(allowed),
  });
  const closeReceiver = close;
  close = async () => {
    await dispatcher.destroy();
    await closeReceiver();
  };
  return createWebhookSender({
    dispatcher,
    nowMs: Date.now,
    ...(timeoutMs !== undefined && { timeoutMs }),
  });
}

const signingSecret = createSigningSecret(randomBytes);
const { signal } = new AbortController();
const target = (path = "/hook") =>
  ({ kind: "webhook", url: `${receiver.url}${path}`, signingSecret }) as const;

test("is verified by the library of Standard Webhooks, and says what happened", async () => {
  const title = `Budget of ${HOSTILE_NAME} is used up`;
  const message = sampleMessage({ alerts: [sampleNotice({ title })], total: 7 });
  const sender = senderWith([receiver.host]);
  expect(await sender.send(message, target("/hook?x=1"), signal)).toEqual({ kind: "delivered" });
  const [post] = receiver.posts;
  expect(post).toMatchObject({
    path: "/hook?x=1",
    headers: { "content-type": "application/json", "webhook-id": message.id },
  });
  const verified = new Webhook(signingSecret).verify(
    post?.body ?? "",
    post?.headers as Record<string, string>,
  );
  expect(verified).toMatchObject({
    type: "alert.fired",
    timestamp: "2026-01-31T09:00:00.000Z",
    data: { id: message.id, total: 7, rule: message.rule, alerts: [{ title }] },
  });
  const forged = post?.body.replace('"total":7', '"total":8') ?? "";
  const check = () =>
    new Webhook(signingSecret).verify(forged, post?.headers as Record<string, string>);
  expect(check).toThrow("No matching signature");
});

test("has the same id at every attempt", async () => {
  const sender = senderWith([receiver.host]);
  receiver.answer = answerWith(500);
  for (let i = 0; i < 2; i += 1) await sender.send(sampleMessage(), target(), signal);
  expect(new Set(receiver.posts.map(({ headers }) => headers["webhook-id"])).size).toBe(1);
});

test.each<[string, () => void, string, number | undefined]>([
  ["an error", () => (receiver.answer = answerWith(500)), "answered 500", undefined],
  [
    "a receiver that has no time",
    () => (receiver.answer = answerWith(429, { "retry-after": "7" })),
    "answered 429",
    7_000,
  ],
  [
    "a redirect, which is not followed",
    () => (receiver.answer = answerWith(307, { location: `${receiver.url}/elsewhere` })),
    "answered 307, a redirect, which is not followed",
    undefined,
  ],
  [
    "a receiver that does not answer",
    () => (receiver.answer = undefined),
    "did not answer within 0.2 seconds",
    undefined,
  ],
  [
    "an answer that is broken off",
    () => (receiver.answer = (response) => void response.socket?.destroy()),
    "could not be reached (UND_ERR_SOCKET)",
    undefined,
  ],
])("is not delivered by %s", async (_, arrange, problem, retryAfterMs) => {
  arrange();
  const sender = senderWith([receiver.host], 200);
  const outcome = await sender.send(sampleMessage(), target(), signal);
  expect(outcome).toEqual({ kind: "failed", problem, retryAfterMs });
  expect(receiver.posts).toHaveLength(1);
});

test("is delivered by an answer that is longer than anybody reads, or does not end", async () => {
  receiver.answer = (response) => void response.end("x".repeat(200_000));
  const sender = senderWith([receiver.host], 200);
  expect(await sender.send(sampleMessage(), target(), signal)).toEqual({ kind: "delivered" });
  receiver.answer = (response) => void response.writeHead(200).write("x");
  expect(await sender.send(sampleMessage(), target(), signal)).toEqual({ kind: "delivered" });
});

test("goes to no private network that is not allowed by name", async () => {
  const sender = senderWith([]);
  const url = receiver.url.replace("127.0.0.1", "localhost");
  for (const one of [target(), { ...target(), url }]) {
    const outcome = await sender.send(sampleMessage(), one, signal);
    expect(outcome).toMatchObject({ kind: "failed" });
    expect(outcome).toHaveProperty("problem", expect.stringContaining("private network"));
  }
  expect(receiver.posts).toEqual([]);
});

test("says so where nobody listens, and where the gateway stops", async () => {
  const sender = senderWith([receiver.host]);
  receiver.answer = undefined;
  const stopping = new AbortController();
  const sent = sender.send(sampleMessage(), target(), stopping.signal);
  await expect.poll(() => receiver.posts.length).toBe(1);
  stopping.abort();
  expect(await sent).toMatchObject({ problem: "was broken off: the gateway stops" });
  await receiver.close();
  const outcome = await sender.send(sampleMessage(), target(), signal);
  expect(outcome).toMatchObject({ problem: "could not be reached (ECONNREFUSED)" });
});
