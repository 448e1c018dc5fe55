import type { Config } from "../../config/config-schema.ts";
import { createAllowedHosts } from "../../core/network/allowed-hosts.ts";
import type { Vault } from "../../vault/vault.ts";
import { type AlertSenders, createAlertSenders } from "./alert-senders.ts";

/** Sends a message now, with connections that are closed again: for a test of a channel. */
export function createOneTimeSender(deps: {
  readonly config: Pick<Config, "allowedPrivateHosts">;
  readonly vault: Pick<Vault, "open">;
}): AlertSenders["send"] {
  const allowedHosts = createAllowedHosts(deps.config.allowedPrivateHosts);
  return async (channel, message, signal) => {
    const senders = createAlertSenders({ vault: deps.vault, allowedHosts, nowMs: Date.now });
    try {
      return await senders.send(channel, message, signal);
    } finally {
      await senders.close();
    }
  };
}
