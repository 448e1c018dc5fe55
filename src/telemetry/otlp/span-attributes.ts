/**
 * Every attribute of the span of a provider call. Spans are written from this table, and so is the one in
 * docs/guide/observability.md. The names that begin with `gen_ai.`, `server.`, `http.` and `error.` are those of the
 * OpenTelemetry semantic conventions; `keyward.` is our own. Nothing that was said in a body is among them.
 */
import { formatUsd } from "../../core/money/picos.ts";
import {
  totalCachedInputTokens,
  totalInputTokens,
  totalOutputTokens,
} from "../../core/usage/quantities.ts";
import type { UsageEvent } from "../../core/usage/usage-event.ts";
import type { CallReport } from "../call-observer.ts";
import { errorTypeOf } from "./error-type.ts";
import { conventionalOperation } from "./operation-names.ts";
import type { ServerAddress } from "./server-address.ts";

export interface SpanSource {
  readonly report: CallReport;
  readonly event: UsageEvent;
  readonly server: ServerAddress | undefined;
  /** The conventions' name of the provider. */
  readonly providerName: string;
}

type ValueOf<Value> = (source: SpanSource) => Value | null | undefined;

export type SpanAttribute = { readonly description: string } & (
  | { readonly type: "text"; readonly isCallers?: true; readonly of: ValueOf<string> }
  | { readonly type: "integer" | "number"; readonly of: ValueOf<number> }
  | { readonly type: "boolean"; readonly of: ValueOf<boolean> }
);

const text = (description: string, of: ValueOf<string>): SpanAttribute => ({
  type: "text",
  description,
  of,
});
/** What a caller has written: what looks like a key in it is taken out. */
const callers = (description: string, of: ValueOf<string>): SpanAttribute => ({
  type: "text",
  isCallers: true,
  description,
  of,
});
const integer = (description: string, of: ValueOf<number>): SpanAttribute => ({
  type: "integer",
  description,
  of,
});
const number = (description: string, of: ValueOf<number>): SpanAttribute => ({
  type: "number",
  description,
  of,
});

/** Tokens of a call that says how many; undefined where that is not known. */
const tokens =
  (count: (event: UsageEvent) => number, isShownAsZero = false): ValueOf<number> =>
  ({ event }) => {
    if (event.usageSource !== "reported" && event.usageSource !== "estimated") return undefined;
    const value = count(event);
    return value === 0 && !isShownAsZero ? undefined : value;
  };

export const CALL_SPAN_ATTRIBUTES = {
  "gen_ai.operation.name": text(
    "`chat` (chat completions, responses, messages), `text_completion`, `embeddings`; else Keyward's word.",
    ({ event }) => conventionalOperation(event.operation),
  ),
  "gen_ai.provider.name": text(
    "The conventions' word for the provider: `openai`, `azure.ai.openai`, `anthropic` …",
    ({ providerName }) => providerName,
  ),
  "gen_ai.request.model": callers(
    "The model that the client asked for.",
    ({ event }) => event.requestedModel,
  ),
  "gen_ai.response.model": callers(
    "The model that answered, by the provider.",
    ({ event }) => event.servedModel,
  ),
  "gen_ai.response.id": text(
    "The provider's id of the answer.",
    ({ event }) => event.providerResponseId,
  ),
  "gen_ai.request.stream": {
    type: "boolean",
    description: "Whether the answer was asked for as a stream; absent where not.",
    of: ({ event }) => (event.isStream ? true : undefined),
  } as SpanAttribute,
  "gen_ai.response.time_to_first_chunk": number(
    "Seconds to the first byte of a stream's body.",
    ({ event }) =>
      event.isStream && event.firstByteMs !== null ? event.firstByteMs / 1000 : undefined,
  ),
  "gen_ai.usage.input_tokens": integer(
    "All input tokens, cached ones included.",
    tokens(({ quantities }) => totalInputTokens(quantities), true),
  ),
  "gen_ai.usage.output_tokens": integer(
    "All output tokens, reasoning included.",
    tokens(({ quantities }) => totalOutputTokens(quantities), true),
  ),
  "gen_ai.usage.cache_read.input_tokens": integer(
    "The part of the input that was read from a cache.",
    tokens(({ quantities }) => totalCachedInputTokens(quantities)),
  ),
  "gen_ai.usage.cache_creation.input_tokens": integer(
    "The part of the input that was written to a cache.",
    tokens(
      ({ quantities: { cacheWriteInput = 0, cacheWrite1hInput = 0 } }) =>
        cacheWriteInput + cacheWrite1hInput,
    ),
  ),
  "gen_ai.usage.reasoning.output_tokens": integer(
    "The part of the output that was reasoning.",
    tokens(({ quantities }) => quantities.reasoningOutput ?? 0),
  ),
  "server.address": text("The provider's host.", ({ server }) => server?.address),
  "server.port": integer("Its port.", ({ server }) => server?.port),
  "http.request.method": text("The call's method.", ({ event }) => event.method),
  "http.response.status_code": integer(
    "The provider's; absent without an answer.",
    ({ event }) => event.httpStatus,
  ),
  "error.type": text(
    "Of a call that failed: the provider's status, `timeout`, `unreachable`, `broken`, `forbidden` or `provider_error`.",
    ({ report }) => errorTypeOf(report),
  ),
  "keyward.environment": text("The environment's name.", ({ report }) => report.environment),
  "keyward.operation": text(
    "Keyward's word for the endpoint, `chat.completions`.",
    ({ event }) => event.operation,
  ),
  "keyward.request.id": text(
    "`x-keyward-request-id` of the answer.",
    ({ event }) => event.requestId,
  ),
  "keyward.event.id": text("The row of the ledger.", ({ event }) => event.id),
  "keyward.attempt": integer(
    "Which provider call of the client's call it is, from 1.",
    ({ event }) => event.attempt,
  ),
  "keyward.project.id": text("The project.", ({ event }) => event.projectId),
  "keyward.key.id": text("The gateway key's id.", ({ event }) => event.gatewayKeyId),
  "keyward.customer": callers("The customer's external id.", ({ event }) => event.customer),
  "keyward.feature": callers("The feature.", ({ event }) => event.feature),
  "keyward.provider_account.id": text(
    "The provider account.",
    ({ event }) => event.providerAccountId,
  ),
  "keyward.provider_key.id": text("The provider key's id.", ({ event }) => event.providerKeyId),
  "keyward.sent_model": callers(
    "What a routing rule put in place of the requested model.",
    ({ event }) => event.sentModel,
  ),
  "keyward.service_tier": text("The service tier that served.", ({ event }) => event.serviceTier),
  "keyward.status": text(
    "`succeeded`, `failed` or `interrupted`, as in the ledger.",
    ({ event }) => event.status,
  ),
  "keyward.ending": text(
    "How the exchange ended: `whole`, `client-gone`, `revoked` or a fault.",
    ({ report }) => report.ending,
  ),
  "keyward.usage.source": text("Where the tokens come from.", ({ event }) => event.usageSource),
  "keyward.pricing": text("`priced`, `unpriced` or `unmetered`.", ({ event }) => event.pricing),
  "keyward.cost.usd": number(
    "What the provider charges, in US dollars; the ledger has the exact figure.",
    ({ event }) => (event.costPicos === null ? undefined : Number(formatUsd(event.costPicos))),
  ),
} as const satisfies Record<string, SpanAttribute>;
