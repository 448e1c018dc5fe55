import type {
  AlertChannelRecord,
  AlertDeliveryRecord,
  AlertRecord,
  AlertRuleRecord,
} from "../alert-records.ts";
import type { AlertBatch } from "../alert-repositories.ts";
import { ids, SAMPLE_TIME_MS } from "./samples.contract.ts";

let samples = 0;

export function sampleChannel(overrides: Partial<AlertChannelRecord> = {}): AlertChannelRecord {
  samples += 1;
  return {
    id: ids.create("ach"),
    name: `channel ${samples}`,
    kind: "webhook",
    sealed: {
      dataKeyId: ids.create("dek"),
      nonce: new Uint8Array([1, 2, 3]),
      ciphertext: new Uint8Array([4, 5, 255, 0]),
    },
    preview: "example.com/…abcd",
    recipients: [],
    sender: null,
    isEnabled: true,
    createdAtMs: SAMPLE_TIME_MS,
    lastDeliveredAtMs: null,
    lastFailedAtMs: null,
    lastProblem: null,
    ...overrides,
  };
}

export function sampleRule(overrides: Partial<AlertRuleRecord> = {}): AlertRuleRecord {
  samples += 1;
  return {
    id: ids.create("alr"),
    name: `rule ${samples}`,
    condition: { kind: "budget_threshold", settings: { percentages: [50, 80] } },
    scope: null,
    repeat: null,
    channelIds: null,
    isEnabled: true,
    createdAtMs: SAMPLE_TIME_MS,
    ...overrides,
  };
}

export function sampleAlert(overrides: Partial<AlertRecord> = {}): AlertRecord {
  samples += 1;
  return {
    id: ids.create("alt"),
    ruleId: ids.create("alr"),
    ruleName: "budgets",
    kind: "budget_threshold",
    severity: "warning",
    key: { kind: "customer", id: `customer ${samples}`, period: "bud_1 80 %" },
    title: `A budget <is> "full" ${samples}`,
    facts: [{ label: "spent", value: "$80.00 of $100.00" }],
    command: "keyward budgets show bud_1",
    messageId: ids.create("msg"),
    muteId: null,
    createdAtMs: SAMPLE_TIME_MS,
    acknowledgedAtMs: null,
    acknowledgedBy: null,
    note: null,
    ...overrides,
  };
}

export function sampleBatch(
  alerts: readonly AlertRecord[],
  channels: readonly AlertChannelRecord[],
) {
  const messageId = ids.create("msg");
  const deliveries = channels.map((channel): AlertDeliveryRecord => ({
    id: ids.create("adl"),
    messageId,
    channelId: channel.id,
    createdAtMs: SAMPLE_TIME_MS,
    attempts: 0,
    nextAttemptAtMs: SAMPLE_TIME_MS,
    lastAttemptAtMs: null,
    problem: null,
    deliveredAtMs: null,
    givenUpAtMs: null,
  }));
  const batch: AlertBatch = {
    messageId,
    alerts: alerts.map((alert) => ({ ...alert, messageId })),
    deliveries,
  };
  return batch;
}
