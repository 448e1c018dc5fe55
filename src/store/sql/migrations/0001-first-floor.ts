import type { SchemaWords } from "../sql-engine.ts";

/** Projects, environments, accounts, keys, customers, the vault's keys, the change log, events and their rollups. */
export function firstFloor(words: SchemaWords): readonly string[] {
  return [
    ...organization(words),
    ...access(words),
    ...vault(words),
    ...usageEvents(words),
    ...rollups(words),
  ];
}

function organization({ text, integer, table }: SchemaWords): readonly string[] {
  return [
    `create table projects (
      id ${text} primary key not null,
      name ${text} not null,
      created_at_ms ${integer} not null
    )${table}`,
    "create unique index projects_name_unique on projects (name)",
    "create index projects_newest on projects (created_at_ms, id)",

    `create table environments (
      id ${text} primary key not null,
      name ${text} not null,
      kind ${text} not null,
      created_at_ms ${integer} not null
    )${table}`,
    "create unique index environments_name_unique on environments (name)",
    "create index environments_newest on environments (created_at_ms, id)",

    `create table provider_accounts (
      id ${text} primary key not null,
      name ${text} not null,
      provider ${text} not null,
      kind ${text} not null,
      base_url ${text},
      organization_id ${text},
      provider_project_id ${text},
      created_at_ms ${integer} not null
    )${table}`,
    "create unique index provider_accounts_name_unique on provider_accounts (name)",
    "create index provider_accounts_newest on provider_accounts (created_at_ms, id)",

    `create table customers (
      id ${text} primary key not null,
      external_id ${text} not null,
      name ${text},
      created_at_ms ${integer} not null
    )${table}`,
    "create unique index customers_external_id_unique on customers (external_id)",
    "create index customers_newest on customers (created_at_ms, id)",
  ];
}

function access({ text, integer, sequence, table }: SchemaWords): readonly string[] {
  return [
    `create table gateway_keys (
      id ${text} primary key not null,
      name ${text} not null,
      project_id ${text} not null references projects (id),
      environment_id ${text} not null references environments (id),
      customer_id ${text} references customers (id),
      hash ${text} not null,
      preview ${text} not null,
      allowed_models ${text},
      created_at_ms ${integer} not null,
      expires_at_ms ${integer},
      revoked_at_ms ${integer}
    )${table}`,
    "create unique index gateway_keys_hash_unique on gateway_keys (hash)",
    "create index gateway_keys_newest on gateway_keys (created_at_ms, id)",
    "create index gateway_keys_by_project on gateway_keys (project_id, created_at_ms, id)",
    "create index gateway_keys_by_environment on gateway_keys (environment_id, created_at_ms, id)",
    `create index gateway_keys_unrevoked on gateway_keys (environment_id)
      where revoked_at_ms is null`,
    `create index gateway_keys_by_customer on gateway_keys (customer_id, created_at_ms, id)
      where customer_id is not null`,

    `create table admin_tokens (
      id ${text} primary key not null,
      name ${text} not null,
      hash ${text} not null,
      created_at_ms ${integer} not null,
      revoked_at_ms ${integer}
    )${table}`,
    "create unique index admin_tokens_hash_unique on admin_tokens (hash)",

    `create table change_log (
      sequence ${sequence},
      kind ${text} not null,
      entity_id ${text} not null
    )${table}`,
  ];
}

function vault({ text, integer, blob, table }: SchemaWords): readonly string[] {
  return [
    `create table root_keys (
      id ${text} primary key not null,
      fingerprint ${text} not null,
      created_at_ms ${integer} not null,
      is_current ${integer} not null
    )${table}`,
    // Two processes on a fresh database cannot both bring their own root key.
    "create unique index root_keys_is_current_unique on root_keys (is_current) where is_current = 1",

    `create table data_keys (
      id ${text} primary key not null,
      scope ${text} not null,
      root_key_id ${text} not null references root_keys (id),
      nonce ${blob} not null,
      wrapped ${blob} not null,
      created_at_ms ${integer} not null
    )${table}`,
    // Two keys for one scope would give equal secrets two fingerprints: a secret in two environments would go unseen.
    "create unique index data_keys_scope_unique on data_keys (scope)",

    `create table provider_keys (
      id ${text} primary key not null,
      account_id ${text} not null references provider_accounts (id),
      environment_id ${text} not null references environments (id),
      name ${text} not null,
      version ${integer} not null,
      data_key_id ${text} not null references data_keys (id),
      nonce ${blob} not null,
      ciphertext ${blob} not null,
      fingerprint ${text} not null,
      preview ${text} not null,
      created_at_ms ${integer} not null,
      revoked_at_ms ${integer}
    )${table}`,
    // The same secret may be active once only, also when two admins add it at the same moment.
    `create unique index provider_keys_fingerprint_unique on provider_keys (fingerprint)
      where revoked_at_ms is null`,
    "create index provider_keys_newest on provider_keys (created_at_ms, id)",
    "create index provider_keys_by_account on provider_keys (account_id, created_at_ms, id)",
    "create index provider_keys_by_environment on provider_keys (environment_id, created_at_ms, id)",
  ];
}

/** The sums that an event and a rollup both have. */
function tokenSums(integer: string): string {
  return `input_tokens ${integer} not null,
      cached_input_tokens ${integer} not null,
      output_tokens ${integer} not null,
      reasoning_output_tokens ${integer} not null,`;
}

/**
 * No foreign keys here: an event that was metered is kept, whatever has become of the rows it names. Each index ends
 * with the order of the list it serves.
 */
function usageEvents({ text, integer, table }: SchemaWords): readonly string[] {
  return [
    `create table usage_events (
      id ${text} primary key not null,
      request_id ${text} not null,
      started_at_ms ${integer} not null,
      project_id ${text} not null,
      environment_id ${text} not null,
      gateway_key_id ${text} not null,
      customer ${text},
      feature ${text},
      model ${text},
      operation ${text} not null,
      method ${text} not null,
      path ${text} not null,
      provider ${text} not null,
      provider_account_id ${text},
      provider_key_id ${text},
      requested_model ${text},
      is_stream ${integer} not null,
      hold_micros ${integer},
      hold_rest_picos ${integer},
      status ${text} not null,
      http_status ${integer},
      duration_ms ${integer} not null,
      first_byte_ms ${integer},
      provider_response_id ${text},
      served_model ${text},
      service_tier ${text},
      usage_source ${text} not null,
      quantities ${text} not null,
      ${tokenSums(integer)}
      pricing ${text} not null,
      cost_micros ${integer},
      cost_rest_picos ${integer},
      price_micros ${integer},
      price_rest_picos ${integer},
      price_row_id ${text}
    )${table}`,
    "create index usage_events_newest on usage_events (started_at_ms, id)",
    "create index usage_events_by_project on usage_events (project_id, started_at_ms, id)",
    "create index usage_events_by_environment on usage_events (environment_id, started_at_ms, id)",
    "create index usage_events_by_gateway_key on usage_events (gateway_key_id, started_at_ms, id)",
    `create index usage_events_by_customer on usage_events (customer, started_at_ms, id)
      where customer is not null`,
    `create index usage_events_by_feature on usage_events (feature, started_at_ms, id)
      where feature is not null`,
    `create index usage_events_by_model on usage_events (model, started_at_ms, id)
      where model is not null`,
    "create index usage_events_by_status on usage_events (status, started_at_ms, id)",
    "create index usage_events_by_request on usage_events (request_id, started_at_ms, id)",
  ];
}

function rollups({ text, integer, clusteredTable }: SchemaWords): readonly string[] {
  return [
    `create table usage_rollups (
      hour_ms ${integer} not null,
      project_id ${text} not null,
      environment_id ${text} not null,
      gateway_key_id ${text} not null,
      customer ${text} not null,
      feature ${text} not null,
      model ${text} not null,
      calls ${integer} not null,
      failed_calls ${integer} not null,
      interrupted_calls ${integer} not null,
      unknown_calls ${integer} not null,
      estimated_calls ${integer} not null,
      unpriced_calls ${integer} not null,
      unmetered_calls ${integer} not null,
      ${tokenSums(integer)}
      cost_micros ${integer} not null,
      cost_rest_picos ${integer} not null,
      price_micros ${integer} not null,
      price_rest_picos ${integer} not null,
      primary key (hour_ms, project_id, environment_id, gateway_key_id, customer, feature, model)
    )${clusteredTable}`,
    "create index usage_rollups_by_customer on usage_rollups (customer, hour_ms)",
    "create index usage_rollups_by_gateway_key on usage_rollups (gateway_key_id, hour_ms)",

    `create table refusal_rollups (
      hour_ms ${integer} not null,
      code ${text} not null,
      gateway_key_id ${text} not null,
      customer ${text} not null,
      count ${integer} not null,
      primary key (hour_ms, code, gateway_key_id, customer)
    )${clusteredTable}`,
  ];
}
