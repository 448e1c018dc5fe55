/**
 * Every metric that is sent to an OpenTelemetry collector. They are written from this table, and so is the one in
 * docs/guide/observability.md. Source of the names that begin with `gen_ai.`, of their units and bounds: OpenTelemetry
 * semantic conventions for generative AI, "Generative AI client metrics".
 */
export interface OtlpMetric {
  readonly kind: "histogram" | "sum";
  readonly unit: string;
  readonly description: string;
  readonly attributes: readonly string[];
  /** Upper bounds of a histogram's buckets. */
  readonly bounds?: readonly number[];
}

/** 4 to the power of 0 … 13. */
const TOKEN_BOUNDS = Array.from({ length: 14 }, (_, power) => 4 ** power);
/** From a hundredth of a second, each twice the last. */
const SECOND_BOUNDS = Array.from({ length: 14 }, (_, power) => (1 << power) / 100);

const CALL = [
  "gen_ai.operation.name",
  "gen_ai.provider.name",
  "gen_ai.request.model",
  "gen_ai.response.model",
  "server.address",
  "server.port",
  "keyward.environment",
];

export const OTLP_METRICS = {
  "gen_ai.client.operation.duration": {
    kind: "histogram",
    unit: "s",
    description: "From the start of a provider call to the end of its answer.",
    attributes: [...CALL, "error.type"],
    bounds: SECOND_BOUNDS,
  },
  "gen_ai.client.operation.time_to_first_chunk": {
    kind: "histogram",
    unit: "s",
    description: "From the start of a streamed provider call to its first byte.",
    attributes: CALL,
    bounds: SECOND_BOUNDS,
  },
  "gen_ai.client.token.usage": {
    kind: "histogram",
    unit: "{token}",
    description: "Input and output tokens of a provider call.",
    attributes: [...CALL, "gen_ai.token.type"],
    bounds: TOKEN_BOUNDS,
  },
  "keyward.cost": {
    kind: "sum",
    unit: "{USD}",
    description: "What providers charge; the ledger has the exact figure.",
    attributes: CALL,
  },
  "keyward.refusals": {
    kind: "sum",
    unit: "{call}",
    description: "Calls that Keyward answered by itself, by error code.",
    attributes: ["keyward.environment", "error.type"],
  },
} as const satisfies Record<string, OtlpMetric>;

export type OtlpMetricName = keyof typeof OTLP_METRICS;
