import { readFileSync } from "node:fs";
import { join } from "node:path";
import { METRICS } from "../../src/telemetry/prometheus/metrics.ts";
import { formatTable, type Page } from "./page.ts";

const PATH = "docs/guide/observability.md";
const BEGIN =
  "<!-- metrics: begin (made by `npm run docs` from src/telemetry/prometheus/metrics.ts) -->";
const END = "<!-- metrics: end -->";
const ROOT = join(import.meta.dirname, "../..");

/** docs/guide/observability.md with its table of metrics as the code has it now. */
export function observabilityPage(): Page {
  const text = readFileSync(join(ROOT, PATH), "utf8");
  const begin = text.indexOf(BEGIN);
  const end = text.indexOf(END);
  if (begin === -1 || end < begin) throw new Error(`${PATH} has lost the marks of its metrics`);
  const table = formatTable(
    ["metric", "kind", "labels", "what it says"],
    Object.entries(METRICS).map(([name, { kind, labels, help }]) => [
      `\`${name}\``,
      kind,
      labels.map((label) => `\`${label}\``).join(", "),
      help,
    ]),
  );
  return { path: PATH, text: `${text.slice(0, begin)}${BEGIN}\n\n${table}\n\n${text.slice(end)}` };
}
