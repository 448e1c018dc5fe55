import type { SchemaWords } from "../sql-engine.ts";

/** Rules, what they fired, where it is sent and how that goes; and when each provider key was used last. */
export function alerts(words: SchemaWords): readonly string[] {
  return [...settings(words), ...history(words), ...work(words)];
}

function settings({ text, integer, blob, table }: SchemaWords): readonly string[] {
  return [
    `create table alert_channels (
      id ${text} primary key not null,
      name ${text} not null,
      kind ${text} not null,
      data_key_id ${text} not null,
      nonce ${blob} not null,
      ciphertext ${blob} not null,
      preview ${text} not null,
      recipients ${text} not null,
      sender ${text},
      is_enabled ${integer} not null,
      created_at_ms ${integer} not null,
      last_delivered_at_ms ${integer},
      last_failed_at_ms ${integer},
      last_problem ${text}
    )${table}`,
    "create unique index alert_channels_name_unique on alert_channels (name)",

    `create table alert_rules (
      id ${text} primary key not null,
      name ${text} not null,
      kind ${text} not null,
      settings ${text} not null,
      scope_kind ${text},
      scope_id ${text},
      repeat ${text},
      channel_ids ${text},
      is_enabled ${integer} not null,
      created_at_ms ${integer} not null
    )${table}`,
    "create unique index alert_rules_name_unique on alert_rules (name)",

    `create table alert_mutes (
      id ${text} primary key not null,
      rule_id ${text},
      subject_kind ${text},
      subject_id ${text},
      until_ms ${integer} not null,
      reason ${text},
      created_by ${text} not null,
      created_at_ms ${integer} not null,
      ended_at_ms ${integer}
    )${table}`,
    "create index alert_mutes_newest on alert_mutes (created_at_ms, id)",
    "create index alert_mutes_by_end on alert_mutes (until_ms) where ended_at_ms is null",
  ];
}

function history({ text, integer, table }: SchemaWords): readonly string[] {
  return [
    `create table alerts (
      id ${text} primary key not null,
      rule_id ${text} not null,
      rule_name ${text} not null,
      kind ${text} not null,
      severity ${text} not null,
      subject_kind ${text} not null,
      subject_id ${text} not null,
      period ${text} not null,
      title ${text} not null,
      facts ${text} not null,
      command ${text} not null,
      message_id ${text} not null,
      mute_id ${text},
      created_at_ms ${integer} not null,
      acknowledged_at_ms ${integer},
      acknowledged_by ${text},
      note ${text}
    )${table}`,
    // Whoever inserts this row first has fired the alert; no other process fires it again.
    `create unique index alerts_key_unique
      on alerts (rule_id, period, subject_kind, subject_id)`,
    "create index alerts_newest on alerts (created_at_ms, id)",
    "create index alerts_by_rule on alerts (rule_id, created_at_ms, id)",
    "create index alerts_by_kind on alerts (kind, created_at_ms, id)",
    "create index alerts_by_severity on alerts (severity, created_at_ms, id)",
    `create index alerts_unacknowledged on alerts (created_at_ms, id)
      where acknowledged_at_ms is null`,
    "create index alerts_by_message on alerts (message_id, id)",

    `create table alert_deliveries (
      id ${text} primary key not null,
      message_id ${text} not null,
      channel_id ${text} not null references alert_channels (id),
      created_at_ms ${integer} not null,
      attempts ${integer} not null,
      next_attempt_at_ms ${integer} not null,
      last_attempt_at_ms ${integer},
      problem ${text},
      delivered_at_ms ${integer},
      given_up_at_ms ${integer}
    )${table}`,
    `create unique index alert_deliveries_message_channel_unique
      on alert_deliveries (message_id, channel_id)`,
    `create index alert_deliveries_waiting on alert_deliveries (channel_id, id)
      where delivered_at_ms is null and given_up_at_ms is null`,
    `create index alert_deliveries_given_up on alert_deliveries (channel_id)
      where given_up_at_ms is not null`,
    `create index alert_deliveries_attempted
      on alert_deliveries (channel_id, last_attempt_at_ms)`,
  ];
}

function work({ text, integer, table }: SchemaWords): readonly string[] {
  return [
    `create table alert_leases (
      name ${text} primary key not null,
      lease_id ${text},
      leased_until_ms ${integer} not null
    )${table}`,
    `create table provider_key_uses (
      provider_key_id ${text} primary key not null,
      last_used_at_ms ${integer} not null
    )${table}`,
  ];
}
