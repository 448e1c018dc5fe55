import type { AlertMessage, AlertNotice } from "../../src/alerts/alert-message.ts";
import type { AlertId, AlertMessageId, AlertRuleId } from "../../src/core/ids/ids.ts";

export function sampleNotice(overrides: Partial<AlertNotice> = {}): AlertNotice {
  return {
    id: "alt_01JZ6Y4V2S8W3N5R7T9X0B1C2D" as AlertId,
    severity: "warning",
    title: "Budget monthly of customer acme is at 83 %",
    facts: [{ label: "spent", value: "$83.10 of $100.00" }],
    command: "keyward budgets show bud_1",
    figures: { budgetId: "bud_1", spentUsd: "83.1", limitUsd: "100", percent: 83 },
    subject: { kind: "customer", id: "acme", name: "acme" },
    firedAtMs: Date.UTC(2026, 0, 31, 9, 0, 0),
    ...overrides,
  };
}

export function sampleMessage(overrides: Partial<AlertMessage> = {}): AlertMessage {
  return {
    id: "msg_01JZ6Y4V2S8W3N5R7T9X0B1C2D" as AlertMessageId,
    type: "alert.fired",
    rule: {
      id: "alr_01JZ6Y4V2S8W3N5R7T9X0B1C2D" as AlertRuleId,
      name: "Budgets",
      kind: "budget_threshold",
    },
    alerts: [sampleNotice()],
    total: 1,
    ...overrides,
  };
}

/** What a customer may be called who wants to be somebody else in your chat and in your mailbox. */
export const HOSTILE_NAME =
  "<!channel> <https://evil.example|Invoice> *x* @all [pay](http://evil.example)\r\nBcc: eve@evil.example\r\n\r\n\u202egpj";
