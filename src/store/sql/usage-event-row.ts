import type { Insertable, Selectable } from "kysely";
import {
  type Quantities,
  totalCachedInputTokens,
  totalInputTokens,
  totalOutputTokens,
} from "../../core/usage/quantities.ts";
import type { UsageEvent } from "../../core/usage/usage-event.ts";
import { boundedName, boundedText } from "./bounded-text.ts";
import { fromNullableMoney, toNullableMoney } from "./money-columns.ts";
import type { UsageEventTable } from "./tables.ts";

/** An event as it is kept: what is added up of events is added up of these. */
export type UsageEventRow = ReturnType<typeof toEventRow>;

export function toEventRow(event: UsageEvent) {
  const requestedModel = boundedName(event.requestedModel);
  const servedModel = boundedName(event.servedModel);
  const hold = toNullableMoney(event.holdPicos);
  const cost = toNullableMoney(event.costPicos);
  const price = toNullableMoney(event.pricePicos);
  return {
    id: event.id,
    request_id: event.requestId,
    attempt: event.attempt,
    started_at_ms: Math.trunc(event.startedAtMs),
    project_id: event.projectId,
    environment_id: event.environmentId,
    gateway_key_id: event.gatewayKeyId,
    customer: boundedName(event.customer),
    feature: boundedName(event.feature),
    model: event.servedModel === null ? requestedModel : servedModel,
    operation: boundedText(event.operation),
    method: boundedText(event.method),
    path: boundedText(event.path),
    provider: boundedText(event.provider),
    provider_account_id: event.providerAccountId,
    provider_key_id: event.providerKeyId,
    requested_model: requestedModel,
    is_stream: event.isStream ? 1 : 0,
    hold_micros: hold.micros,
    hold_rest_picos: hold.restPicos,
    status: event.status,
    http_status: event.httpStatus,
    duration_ms: Math.round(event.durationMs),
    first_byte_ms: event.firstByteMs === null ? null : Math.round(event.firstByteMs),
    provider_response_id: boundedName(event.providerResponseId),
    sent_model: boundedName(event.sentModel),
    served_model: servedModel,
    service_tier: boundedName(event.serviceTier),
    variant: boundedName(event.variant),
    usage_source: event.usageSource,
    quantities: JSON.stringify(event.quantities),
    input_tokens: totalInputTokens(event.quantities),
    cached_input_tokens: totalCachedInputTokens(event.quantities),
    output_tokens: totalOutputTokens(event.quantities),
    reasoning_output_tokens: event.quantities.reasoningOutput ?? 0,
    pricing: event.pricing,
    cost_micros: cost.micros,
    cost_rest_picos: cost.restPicos,
    price_micros: price.micros,
    price_rest_picos: price.restPicos,
    price_row_id: boundedName(event.priceRowId),
    client_token_id: event.clientTokenId ?? null,
  } satisfies Insertable<UsageEventTable>;
}

export function fromEventRow(row: Selectable<UsageEventTable>): UsageEvent {
  return {
    id: row.id,
    requestId: row.request_id,
    attempt: Number(row.attempt),
    startedAtMs: Number(row.started_at_ms),
    projectId: row.project_id,
    environmentId: row.environment_id,
    gatewayKeyId: row.gateway_key_id,
    ...(row.client_token_id !== null && { clientTokenId: row.client_token_id }),
    customer: row.customer,
    feature: row.feature,
    operation: row.operation,
    method: row.method,
    path: row.path,
    provider: row.provider,
    providerAccountId: row.provider_account_id,
    providerKeyId: row.provider_key_id,
    requestedModel: row.requested_model,
    isStream: row.is_stream === 1n,
    holdPicos: fromNullableMoney(row.hold_micros, row.hold_rest_picos),
    status: row.status,
    httpStatus: row.http_status === null ? null : Number(row.http_status),
    durationMs: Number(row.duration_ms),
    firstByteMs: row.first_byte_ms === null ? null : Number(row.first_byte_ms),
    providerResponseId: row.provider_response_id,
    sentModel: row.sent_model,
    servedModel: row.served_model,
    serviceTier: row.service_tier,
    variant: row.variant,
    usageSource: row.usage_source,
    quantities: JSON.parse(row.quantities) as Quantities,
    pricing: row.pricing,
    costPicos: fromNullableMoney(row.cost_micros, row.cost_rest_picos),
    pricePicos: fromNullableMoney(row.price_micros, row.price_rest_picos),
    priceRowId: row.price_row_id,
  };
}
