import { METRICS, type MetricDefinition, type MetricName } from "./metrics.ts";

export const EXPOSITION_CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";

export interface HistogramValue {
  /** Observations by bucket, each counted once; one more than there are bounds. */
  readonly counts: ArrayLike<number>;
  readonly sum: number;
}

/**
 * Writes metrics in Prometheus' text format 0.0.4
 * (https://prometheus.io/docs/instrumenting/exposition_formats/). A metric's head is written before its first sample,
 * so samples of one metric follow each other.
 */
export class Exposition {
  readonly #lines: string[] = [];
  #current: MetricName | undefined;

  /** `labelValues` in the order of the metric's definition. */
  add(name: MetricName, value: number, ...labelValues: readonly string[]): void {
    this.#begin(name);
    this.#sample(name, labelsOf(name, labelValues), value);
  }

  addHistogram(
    name: MetricName,
    { counts, sum }: HistogramValue,
    bounds: readonly number[],
    labelValues: readonly string[],
  ): void {
    this.#begin(name);
    const labels = labelsOf(name, labelValues);
    let cumulative = 0;
    for (let i = 0; i <= bounds.length; i++) {
      cumulative += counts[i] ?? 0;
      const bound = i === bounds.length ? "+Inf" : String(bounds[i]);
      this.#sample(
        `${name}_bucket`,
        `${labels === "" ? "" : `${labels},`}le="${bound}"`,
        cumulative,
      );
    }
    this.#sample(`${name}_sum`, labels, sum);
    this.#sample(`${name}_count`, labels, cumulative);
  }

  toString(): string {
    return `${this.#lines.join("\n")}\n`;
  }

  #begin(name: MetricName): void {
    if (this.#current === name) return;
    this.#current = name;
    const { kind, help } = METRICS[name];
    this.#lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${kind}`);
  }

  #sample(name: string, labels: string, value: number): void {
    this.#lines.push(labels === "" ? `${name} ${value}` : `${name}{${labels}} ${value}`);
  }
}

function labelsOf(name: MetricName, values: readonly string[]): string {
  const { labels }: MetricDefinition = METRICS[name];
  return labels.map((label, index) => `${label}="${escapeValue(values[index] ?? "")}"`).join(",");
}

function escapeValue(value: string): string {
  return value.replaceAll(/[\\"\n]/g, (character) =>
    character === "\n" ? "\\n" : `\\${character}`,
  );
}
