import type { AlertMessage, SendOutcome } from "../../alerts/alert-message.ts";
import { failed } from "../../alerts/alert-message.ts";
import { createEmailSender } from "../../alerts/email/email-sender.ts";
import { createSlackSender } from "../../alerts/slack/slack-sender.ts";
import { createWebhookSender } from "../../alerts/webhook/webhook-sender.ts";
import { ALERT_SECRETS_SCOPE, type AlertTarget } from "../../core/alerts/alert-channel.ts";
import type { AllowedHosts } from "../../core/network/allowed-hosts.ts";
import { createGuardedAgent } from "../../proxy/upstream.ts";
import type { AlertChannelRecord } from "../../store/alert-records.ts";
import { SealBrokenError, type Vault } from "../../vault/vault.ts";
import { connectGuarded } from "./guarded-socket.ts";

export interface AlertSenders {
  /** Opens the channel's secret for this one message. Rejects only where the vault cannot be asked. */
  send(
    channel: AlertChannelRecord,
    message: AlertMessage,
    signal: AbortSignal,
  ): Promise<SendOutcome>;
  close(): Promise<void>;
}

export interface AlertSenderDeps {
  readonly vault: Pick<Vault, "open">;
  readonly allowedHosts: AllowedHosts;
  readonly nowMs: () => number;
}

const CONNECT_TIMEOUT_MS = 5_000;
/** Every message has an end of its own that comes sooner. */
const ANSWER_TIMEOUT_MS = 60_000;

/** What sends through each kind of channel, with connections of its own, made when the first message is sent. */
export function createAlertSenders({ vault, allowedHosts, nowMs }: AlertSenderDeps): AlertSenders {
  const dispatcher = createGuardedAgent({
    connectTimeoutMs: CONNECT_TIMEOUT_MS,
    headersTimeoutMs: ANSWER_TIMEOUT_MS,
    bodyIdleTimeoutMs: ANSWER_TIMEOUT_MS,
    allowedHosts,
  });
  const slack = createSlackSender({ dispatcher, nowMs });
  const webhook = createWebhookSender({ dispatcher, nowMs });
  const email = createEmailSender({
    connect: (address, signal) => connectGuarded(address, allowedHosts, signal),
  });
  return {
    async send(channel, message, signal) {
      const target = await openTarget(vault, channel);
      if (target === undefined) return failed("has a secret that the vault cannot open");
      if (target.kind === "slack") return slack.send(message, target, signal);
      if (target.kind === "webhook") return webhook.send(message, target, signal);
      return email.send(message, target, signal);
    },
    close: () => dispatcher.destroy(),
  };
}

/** Undefined where its seal is broken. */
async function openTarget(
  vault: Pick<Vault, "open">,
  { id, kind, sealed, sender, recipients }: AlertChannelRecord,
): Promise<AlertTarget | undefined> {
  try {
    const context = { environmentId: ALERT_SECRETS_SCOPE, secretId: id, version: 1 };
    const secret = JSON.parse(await vault.open(sealed, context)) as Record<string, string>;
    return { sender, recipients, ...secret, kind } as AlertTarget;
  } catch (err) {
    if (err instanceof SealBrokenError) return undefined;
    throw err;
  }
}
