/**
 * Every metric of `/metrics`. The exposition is written from this table, and so is the one in
 * docs/guide/observability.md. All label values are Keyward's own words, names of environments, or one of a fixed
 * number of models: never a customer, a key or a path.
 */
export interface MetricDefinition {
  readonly kind: "counter" | "gauge" | "histogram";
  readonly help: string;
  readonly labels: readonly string[];
}

const counter = (help: string, labels: readonly string[] = []): MetricDefinition => ({
  kind: "counter",
  help,
  labels,
});
const gauge = (help: string, labels: readonly string[] = []): MetricDefinition => ({
  kind: "gauge",
  help,
  labels,
});
const histogram = (help: string, labels: readonly string[]): MetricDefinition => ({
  kind: "histogram",
  help,
  labels,
});

export const METRICS = {
  keyward_calls_total: counter("Provider calls that have ended.", [
    "environment",
    "operation",
    "provider",
    "status",
    "http_status",
  ]),
  keyward_call_duration_seconds: histogram("From admission to the end of the answer.", [
    "environment",
    "operation",
    "provider",
  ]),
  keyward_call_first_byte_seconds: histogram(
    "From admission to the first byte of the answer's body sent on.",
    ["environment", "operation", "provider"],
  ),
  keyward_tokens_total: counter("Tokens by disjoint class.", [
    "environment",
    "provider",
    "model",
    "class",
  ]),
  keyward_units_total: counter(
    "What is not counted in tokens: milliseconds of audio, characters, images, calls of tools.",
    ["environment", "provider", "model", "class"],
  ),
  keyward_cost_usd_total: counter(
    "What providers charge, in US dollars; the ledger has the exact figure.",
    ["environment", "provider", "model"],
  ),
  keyward_uncosted_calls_total: counter(
    "Calls without a cost: no price is known (`unpriced`), what they consumed is not (`usage_unknown`), or usage is not read (`unmetered`).",
    ["environment", "provider", "pricing"],
  ),
  keyward_upstream_faults_total: counter("Calls that broke off on the way to the provider.", [
    "environment",
    "provider",
    "fault",
  ]),
  keyward_client_disconnects_total: counter("Calls whose client left before the end.", [
    "environment",
    "provider",
  ]),
  keyward_refusals_total: counter(
    "Calls that Keyward refused; the environment is empty where no key was recognised.",
    ["environment", "code"],
  ),
  keyward_in_flight_calls: gauge("Calls under way."),
  keyward_upstream_connections: gauge("Open connections to providers.", ["state"]),
  keyward_ledger_open_intents: gauge("Calls that are journalled and not settled."),
  keyward_ledger_pending_events: gauge("Settled calls that are not in the database yet."),
  keyward_ledger_journal_bytes: gauge("Size of the journal."),
  keyward_ledger_last_flush_timestamp_seconds: gauge(
    "When calls last moved from the journal to the database; absent before the first time.",
  ),
  keyward_ledger_flush_failures_total: counter("Flushes that the database did not take."),
  keyward_live_readers: gauge("Readers of the live feed (`keyward tail`)."),
  keyward_live_dropped_total: counter("Calls that slow readers of the live feed have missed."),
  keyward_otlp_spans_total: counter("Spans for the OpenTelemetry collector; absent while off.", [
    "result",
  ]),
  keyward_otlp_failed_exports_total: counter(
    "Exports that the collector did not take; absent while off.",
  ),
  keyward_event_loop_delay_seconds: gauge(
    "How late the event loop was, over the last ten seconds or more.",
    ["quantile"],
  ),
  keyward_worker_up: gauge(
    "Whether a worker has answered this scrape; absent where one process serves alone.",
    ["worker"],
  ),
  keyward_build_info: gauge("Always 1.", ["version", "node_version"]),
  process_cpu_seconds_total: counter("CPU time, user and system."),
  process_start_time_seconds: gauge("When the process started, since the epoch."),
  process_resident_memory_bytes: gauge("Resident memory."),
  process_open_fds: gauge("Open file descriptors; absent where the system does not tell."),
  nodejs_heap_size_used_bytes: gauge("JavaScript heap in use."),
  nodejs_heap_size_total_bytes: gauge("JavaScript heap that is set aside."),
  nodejs_external_memory_bytes: gauge("Memory of buffers and other objects outside the heap."),
} as const satisfies Record<string, MetricDefinition>;

export type MetricName = keyof typeof METRICS;
