/** Chat calls as the data plane's tests make them, with answers whose cost is known. */
import { request, type Dispatcher } from "undici";
import { expect } from "vitest";
import type { UsageEvent } from "../../src/core/usage/usage-event.ts";
import type { DataPlane } from "./data-plane.ts";
import { until } from "./poll.ts";

export const CHAT = {
  model: "gpt-4o-mini",
  messages: [{ role: "user", content: "one two three" }],
};
export const USAGE = {
  prompt_tokens: 500,
  completion_tokens: 1500,
  total_tokens: 2000,
  prompt_tokens_details: { cached_tokens: 100 },
};
export const ANSWER = {
  id: "chatcmpl-1",
  object: "chat.completion",
  model: "gpt-4o-mini-2024-07-18",
  service_tier: "default",
  choices: [{ index: 0, message: { role: "assistant", content: "hi" }, finish_reason: "stop" }],
  usage: USAGE,
};

export function post(
  gateway: DataPlane,
  body: unknown,
  headers: Record<string, string> = {},
): Promise<Dispatcher.ResponseData> {
  return request(`${gateway.url}/v1/chat/completions`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${gateway.key}`,
      "content-type": "application/json",
      ...headers,
    },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
}

export function chunk(delta: unknown, more: Record<string, unknown> = {}): string {
  const data = {
    id: "chatcmpl-2",
    model: "gpt-4o-mini-2024-07-18",
    choices: [{ index: 0, delta }],
    ...more,
  };
  return `data: ${JSON.stringify(data)}\n\n`;
}
export const USAGE_CHUNK = chunk({}, { choices: [], usage: USAGE });
export const DONE = "data: [DONE]\n\n";

export async function onlyEvent(gateway: DataPlane): Promise<UsageEvent> {
  await until("the call is settled", () => gateway.events.length > 0);
  expect(gateway.events).toHaveLength(1);
  expect(gateway.intents).toHaveLength(1);
  const [event] = gateway.events;
  if (event === undefined) throw new Error("unreachable");
  expect(event.id).toBe(gateway.intents[0]?.id);
  return event;
}
