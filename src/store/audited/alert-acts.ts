/** What is written about changes of alerts: their rules, their channels, and what people do about them. */
import type {
  AlertChannelRepository,
  AlertDeliveryRepository,
  AlertHistory,
  AlertMuteRepository,
  AlertRepositories,
  AlertRuleRepository,
} from "../alert-repositories.ts";
import { about, type ActsOf, created, removal, update, type Within, withActs } from "./within.ts";

export function withAlertActs(alerts: AlertRepositories, within: Within): AlertRepositories {
  return {
    leases: alerts.leases,
    providerKeyUses: alerts.providerKeyUses,
    channels: withActs(alerts.channels, channelActs(within)),
    rules: withActs(alerts.rules, ruleActs(within)),
    history: withActs(alerts.history, historyActs(within)),
    deliveries: withActs(alerts.deliveries, deliveryActs(within)),
    mutes: withActs(alerts.mutes, muteActs(within)),
  };
}

function channelActs(within: Within): ActsOf<AlertChannelRepository, "noteAttempt"> {
  return {
    insert: (record) =>
      within(async ({ alerts: { channels } }, write) => {
        await channels.insert(record);
        await write(created("alertChannel", record));
      }),
    update: (record) =>
      within(({ alerts: { channels } }, write) =>
        update(
          { kind: "alertChannel", write },
          () => channels.findById(record.id),
          () => channels.update(record),
        ),
      ),
    remove: (id) =>
      within(({ alerts: { channels } }, write) =>
        removal(
          { kind: "alertChannel", write },
          () => channels.findById(id),
          () => channels.remove(id),
        ),
      ),
  };
}

function ruleActs(within: Within): ActsOf<AlertRuleRepository, "insertDefaults"> {
  return {
    insert: (record) =>
      within(async ({ alerts: { rules } }, write) => {
        await rules.insert(record);
        await write(created("alertRule", record));
      }),
    update: (record) =>
      within(({ alerts: { rules } }, write) =>
        update(
          { kind: "alertRule", write },
          () => rules.findById(record.id),
          () => rules.update(record),
        ),
      ),
    remove: (id) =>
      within(({ alerts: { rules } }, write) =>
        removal(
          { kind: "alertRule", write },
          () => rules.findById(id),
          () => rules.remove(id),
        ),
      ),
  };
}

function historyActs(within: Within): ActsOf<AlertHistory, "fire"> {
  return {
    acknowledge: (id, by) =>
      within(async ({ alerts: { history } }, write) => {
        const isAcknowledged = await history.acknowledge(id, by);
        if (!isAcknowledged) return false;
        await write({
          ...about("alert", "acknowledged", { id }),
          before: null,
          after: JSON.stringify({ note: by.note }),
        });
        return true;
      }),
  };
}

type SendersWork = Exclude<keyof AlertDeliveryRepository, "retry">;

function deliveryActs(within: Within): ActsOf<AlertDeliveryRepository, SendersWork> {
  return {
    retry: (id, nowMs) =>
      within(async ({ alerts: { deliveries } }, write) => {
        const count = await deliveries.retry(id, nowMs);
        if (count === 0) return count;
        await write({
          action: "alert.retried",
          target: { kind: "alertMessage", id, name: null },
          environmentId: null,
          before: null,
          after: JSON.stringify({ deliveries: count }),
        });
        return count;
      }),
  };
}

function muteActs(within: Within): ActsOf<AlertMuteRepository> {
  return {
    insert: (record) =>
      within(async ({ alerts: { mutes } }, write) => {
        await mutes.insert(record);
        await write(created("alertMute", record));
      }),
    end: (id, atMs) =>
      within(({ alerts: { mutes } }, write) =>
        update(
          { kind: "alertMute", verb: "ended", write },
          () => mutes.findById(id),
          () => mutes.end(id, atMs),
        ),
      ),
  };
}
