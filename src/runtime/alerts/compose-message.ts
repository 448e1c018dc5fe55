import { type AlertMessage, MAX_ALERTS_A_MESSAGE } from "../../alerts/alert-message.ts";
import { figuresOf } from "../../core/alerts/alert-content.ts";
import type { AlertMessageId } from "../../core/ids/ids.ts";
import type { Store } from "../../store/store.ts";
import { type NamedStore, shortName } from "./subject-names.ts";

/**
 * What is sent of a message's alerts: as they were when they fired, whatever became of their rule. Undefined when none of
 * them is there any more.
 */
export async function composeMessage(
  store: Pick<Store, "alerts"> & NamedStore,
  id: AlertMessageId,
): Promise<AlertMessage | undefined> {
  const { alerts, total } = await store.alerts.history.listOfMessage(id, MAX_ALERTS_A_MESSAGE);
  const [first] = alerts;
  if (first === undefined) return undefined;
  return {
    id,
    type: "alert.fired",
    rule: { id: first.ruleId, name: first.ruleName, kind: first.kind },
    total,
    alerts: await Promise.all(
      alerts.map(async ({ key: { kind, id: subjectId }, ...alert }) => ({
        id: alert.id,
        severity: alert.severity,
        title: alert.title,
        facts: alert.facts.map(({ label, value }) => ({ label, value })),
        figures: figuresOf(alert.facts),
        command: alert.command,
        subject: { kind, id: subjectId, name: await shortName(store, { kind, id: subjectId }) },
        firedAtMs: alert.createdAtMs,
      })),
    ),
  };
}
