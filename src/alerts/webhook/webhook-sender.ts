import { createHmac } from "node:crypto";
import { signingKeyOf, type WebhookTarget } from "../../core/alerts/alert-channel.ts";
import type { AlertMessage, AlertSender } from "../alert-message.ts";
import { postJson, type PostDeps } from "../post-json.ts";

/**
 * A webhook that its receiver can verify: signed as Standard Webhooks says (github.com/standard-webhooks, "Webhook
 * Headers" and "Signature scheme", v1). The id is the same at every attempt, the timestamp is the attempt's.
 */
export function createWebhookSender(deps: PostDeps): AlertSender<WebhookTarget> {
  return {
    send(message, { url, signingSecret }, signal) {
      const timestamp = Math.floor(deps.nowMs() / 1000).toString();
      const body = JSON.stringify(toPayload(message));
      const signature = createHmac("sha256", signingKeyOf(signingSecret))
        .update(`${message.id}.${timestamp}.${body}`)
        .digest("base64");
      const headers = {
        "webhook-id": message.id,
        "webhook-timestamp": timestamp,
        "webhook-signature": `v1,${signature}`,
      };
      return postJson(deps, { url, headers, body }, signal);
    },
  };
}

/** Documented in docs/guide/alerts.md. */
function toPayload({ id, type, rule, alerts, total }: AlertMessage) {
  return {
    type,
    timestamp: new Date(alerts[0]?.firedAtMs ?? 0).toISOString(),
    data: {
      id,
      rule,
      total,
      alerts: alerts.map(({ firedAtMs, ...alert }) => ({
        ...alert,
        firedAt: new Date(firedAtMs).toISOString(),
      })),
    },
  };
}
