import { readFileSync } from "node:fs";
import { join } from "node:path";
import { OTLP_METRICS, type OtlpMetric } from "../../src/telemetry/otlp/otlp-metrics.ts";
import { CALL_SPAN_ATTRIBUTES } from "../../src/telemetry/otlp/span-attributes.ts";
import { METRICS } from "../../src/telemetry/prometheus/metrics.ts";
import { formatTable, type Page } from "./page.ts";

const PATH = "docs/guide/observability.md";
const ROOT = join(import.meta.dirname, "../..");

interface Block {
  /** In the marks around it. */
  readonly name: string;
  readonly source: string;
  table(): string;
}

const code = (word: string): string => `\`${word}\``;

const BLOCKS: readonly Block[] = [
  {
    name: "metrics",
    source: "src/telemetry/prometheus/metrics.ts",
    table: () =>
      formatTable(
        ["metric", "kind", "labels", "what it says"],
        Object.entries(METRICS).map(([name, { kind, labels, help }]) => [
          code(name),
          kind,
          labels.map(code).join(", "),
          help,
        ]),
      ),
  },
  {
    name: "span attributes",
    source: "src/telemetry/otlp/span-attributes.ts",
    table: () =>
      formatTable(
        ["attribute", "type", "what it says"],
        Object.entries(CALL_SPAN_ATTRIBUTES).map(([name, { type, description }]) => [
          code(name),
          type,
          description,
        ]),
      ),
  },
  {
    name: "OpenTelemetry metrics",
    source: "src/telemetry/otlp/otlp-metrics.ts",
    table: () =>
      formatTable(
        ["metric", "kind", "unit", "attributes", "what it says"],
        Object.entries<OtlpMetric>(OTLP_METRICS).map(([name, metric]) => [
          code(name),
          metric.kind,
          code(metric.unit),
          metric.attributes.map(code).join(", "),
          metric.description,
        ]),
      ),
  },
];

/** docs/guide/observability.md with its tables as the code has them now. */
export function observabilityPage(): Page {
  const text = BLOCKS.reduce(
    (page, block) => replaceBlock(page, block),
    readFileSync(join(ROOT, PATH), "utf8"),
  );
  return { path: PATH, text };
}

function replaceBlock(page: string, block: Block): string {
  const { name, source } = block;
  const opening = `<!-- ${name}: begin (made by \`npm run docs\` from ${source}) -->`;
  const begin = page.indexOf(opening);
  const end = page.indexOf(`<!-- ${name}: end -->`);
  if (begin === -1 || end < begin) throw new Error(`${PATH} has lost the marks of its ${name}`);
  return `${page.slice(0, begin)}${opening}\n\n${block.table()}\n\n${page.slice(end)}`;
}
