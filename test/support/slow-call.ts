import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import { json } from "node:stream/consumers";
import { CHAT } from "./chat.ts";
import type { DataPlane } from "./data-plane.ts";
import { until } from "./poll.ts";

/** A chat call of which the gateway has a part of the body. */
export interface SlowCall {
  /** Sends the rest. What it was refused with; undefined: it was not. */
  finish(): Promise<string | undefined>;
}

export async function beginSlowCall(
  gateway: DataPlane,
  token: string = gateway.key,
): Promise<SlowCall> {
  const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
  const sent = request(`${gateway.url}/v1/chat/completions`, { method: "POST", headers });
  const answered = once(sent, "response");
  const body = JSON.stringify(CHAT);
  sent.write(body.slice(0, 20));
  await until("the body has begun", () => gateway.bodyBudget.heldBytes > 0);
  return {
    finish: async () => {
      sent.end(body.slice(20));
      const [answer] = (await answered) as [IncomingMessage];
      const { error } = (await json(answer)) as { error?: { code: string } };
      return error?.code;
    },
  };
}
