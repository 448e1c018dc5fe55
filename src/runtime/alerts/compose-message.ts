import { type AlertMessage, MAX_ALERTS_A_MESSAGE } from "../../alerts/alert-message.ts";
import type { AlertMessageId } from "../../core/ids/ids.ts";
import type { Store } from "../../store/store.ts";

/**
 * What is sent of a message's alerts: as they were when they fired, whatever became of their rule. Undefined when none of
 * them is there any more.
 */
export async function composeMessage(
  { alerts: { history } }: Pick<Store, "alerts">,
  id: AlertMessageId,
): Promise<AlertMessage | undefined> {
  const { alerts, total } = await history.listOfMessage(id, MAX_ALERTS_A_MESSAGE);
  const [first] = alerts;
  if (first === undefined) return undefined;
  return {
    id,
    type: "alert.fired",
    rule: { id: first.ruleId, name: first.ruleName, kind: first.kind },
    total,
    alerts: alerts.map((alert) => ({
      id: alert.id,
      severity: alert.severity,
      title: alert.title,
      facts: alert.facts,
      command: alert.command,
      subject: { kind: alert.key.kind, id: alert.key.id },
      firedAtMs: alert.createdAtMs,
    })),
  };
}
