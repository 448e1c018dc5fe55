import type { SchemaWords } from "../sql-engine.ts";

/** Of these kinds an installation had a rule from the first version with alerts on. */
const FIRST_KINDS = [
  "budget_threshold",
  "budget_forecast",
  "spend_spike",
  "error_rate",
  "provider_key_failing",
  "account_limit_near",
  "unpriced_model",
  "provider_key_unused",
  "provider_key_old",
  "estimated_usage",
] as const;

/**
 * The kinds of alert of which an installation was given a rule. Where rules were made before, that is those of the first
 * version, and what has a rule now or has ever fired; of other kinds there was none, or it is not known.
 */
export function offeredAlertKinds({ text, clusteredTable }: SchemaWords): readonly string[] {
  const first = FIRST_KINDS.map((kind) => `select '${kind}' as kind`).join(" union all ");
  const isMade = "exists (select 1 from alert_leases where name = 'default rules')";
  return [
    `create table offered_alert_kinds (kind ${text} primary key not null)${clusteredTable}`,
    `insert into offered_alert_kinds (kind)
      select distinct kind from (
        ${first}
        union all select kind from alert_rules
        union all select kind from alerts
      ) as known
      where ${isMade}`,
  ];
}
