import { ERROR_CODES } from "../../core/errors/codes.ts";
import type { CallReport, RefusalReport } from "../call-observer.ts";
import type { TraceContext } from "../trace-context.ts";
import { errorTypeOf } from "./error-type.ts";
import { conventionalOperation } from "./operation-names.ts";
import {
  formatNanos,
  SPAN_KIND,
  STATUS_CODE,
  type AnyValue,
  type KeyValue,
  type Span,
} from "./otlp-messages.ts";
import { Scrubbed } from "./scrubbed.ts";
import type { ServerAddresses } from "./server-address.ts";
import { CALL_SPAN_ATTRIBUTES, type SpanAttribute, type SpanSource } from "./span-attributes.ts";

const ATTRIBUTES = Object.entries<SpanAttribute>(CALL_SPAN_ATTRIBUTES);

/** Makes spans in the protocol's form of what observers are told. */
export class SpanFormatter {
  readonly #addresses: ServerAddresses;
  readonly #genAiNameOf: (provider: string) => string;
  readonly #scrubbed = new Scrubbed();

  constructor(addresses: ServerAddresses, genAiNameOf: (provider: string) => string) {
    this.#addresses = addresses;
    this.#genAiNameOf = genAiNameOf;
  }

  /** The span of a provider call: `chat gpt-4o-mini`. */
  formatCall(report: CallReport, trace: TraceContext): Span {
    const { event, origin } = report;
    const server = origin === null ? undefined : this.#addresses.of(origin);
    const providerName = this.#genAiNameOf(event.provider);
    const source: SpanSource = { report, event, server, providerName };
    const attributes: KeyValue[] = [];
    for (const [key, attribute] of ATTRIBUTES) {
      const value = this.#read(attribute, source);
      if (value !== undefined) attributes.push({ key, value });
    }
    const operation = conventionalOperation(event.operation);
    const model = event.requestedModel;
    return {
      ...placeOf(trace),
      ...timesOf(event),
      name: model === null ? operation : `${operation} ${this.#scrubbed.of(model)}`,
      kind: SPAN_KIND.client,
      attributes,
      status: { code: errorTypeOf(report) === undefined ? STATUS_CODE.unset : STATUS_CODE.error },
    };
  }

  /** The span of a call that Keyward answered by itself. Source: semantic conventions for HTTP server spans. */
  formatRefusal(report: RefusalReport, trace: TraceContext): Span {
    const { status } = ERROR_CODES[report.code];
    const facts: readonly (readonly [key: string, value: string | null])[] = [
      ["error.type", report.code],
      ["http.request.method", report.method],
      ["gen_ai.request.model", this.#scrub(report.requestedModel)],
      ["keyward.environment", report.environment],
      ["keyward.operation", report.operation],
      ["keyward.request.id", report.requestId],
      ["keyward.project.id", report.projectId],
      ["keyward.key.id", report.gatewayKeyId],
      ["keyward.customer", this.#scrub(report.customer)],
      ["keyward.feature", this.#scrub(report.feature)],
    ];
    return {
      ...placeOf(trace),
      ...timesOf(report),
      name: `refused ${conventionalOperation(report.operation)}`,
      kind: SPAN_KIND.server,
      attributes: [
        ...facts.flatMap(([key, value]) =>
          value === null ? [] : [{ key, value: { stringValue: value } }],
        ),
        { key: "http.response.status_code", value: { intValue: String(status) } },
      ],
      // A mistake of the caller's is no error of the server's.
      status: { code: status >= 500 ? STATUS_CODE.error : STATUS_CODE.unset },
    };
  }

  #read(attribute: SpanAttribute, source: SpanSource): AnyValue | undefined {
    const value = attribute.of(source);
    if (value === null || value === undefined) return undefined;
    if (typeof value === "boolean") return { boolValue: value };
    if (typeof value === "string") {
      const isCallers = attribute.type === "text" && attribute.isCallers === true;
      return { stringValue: isCallers ? this.#scrubbed.of(value) : value };
    }
    return attribute.type === "integer" ? { intValue: String(value) } : { doubleValue: value };
  }

  #scrub(value: string | null): string | null {
    return value === null ? null : this.#scrubbed.of(value);
  }
}

/** Bits of `flags` besides those of W3C: whether it is known where the parent is, and that it is elsewhere. */
const HAS_IS_REMOTE = 0x100;
const IS_REMOTE = 0x200;

function placeOf({ traceId, spanId, parentSpanId, isSampled, traceState }: TraceContext) {
  const isRemote = parentSpanId !== null;
  return {
    traceId,
    spanId,
    ...(traceState === null ? {} : { traceState }),
    ...(parentSpanId === null ? {} : { parentSpanId }),
    flags: (isSampled ? 1 : 0) + HAS_IS_REMOTE + (isRemote ? IS_REMOTE : 0),
  };
}

function timesOf({ startedAtMs, durationMs }: { startedAtMs: number; durationMs: number }) {
  return {
    startTimeUnixNano: formatNanos(startedAtMs),
    endTimeUnixNano: formatNanos(startedAtMs + durationMs),
  };
}
