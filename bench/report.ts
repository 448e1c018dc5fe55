/** The tables: medians over the rounds, and ratios to the bare pass-through that were taken within a round. */
import { cpus } from "node:os";
import { spreadOf, type Spread } from "./measure/statistics.ts";
import type { Target } from "./targets/target.ts";
import type { Workload } from "./workloads.ts";

export interface Measurement {
  readonly round: number;
  readonly target: string;
  readonly workload: string;
  readonly responses: number;
  readonly unitsASecond: number;
  readonly cpuMicrosAUnit: number;
  readonly firstByteP50Ms: number;
  readonly firstByteP99Ms: number;
  readonly loadedMegabytes: number;
  readonly idleMegabytes: number;
  readonly readyMs: number;
}

export interface ReportPlan {
  readonly targets: readonly Pick<Target, "name" | "title">[];
  readonly workloads: readonly Workload[];
}

/** What ratios are taken to. */
const REFERENCE = "bare";
const NO_GATEWAY = "direct";

export function formatReport(measurements: readonly Measurement[], plan: ReportPlan): string {
  const [cpu] = cpus();
  const machine = `${cpus().length} × ${cpu?.model.trim() ?? "unknown"}, Node ${process.version}, ${process.platform}; target pinned to one core, load and upstream to the other`;
  const tables = plan.workloads.map((workload) => formatTable(measurements, workload, plan));
  return [machine, ...tables, formatIdle(measurements, plan)].join("\n\n");
}

function formatTable(
  measurements: readonly Measurement[],
  workload: Workload,
  { targets }: ReportPlan,
): string {
  const of = (target: string): Measurement[] =>
    measurements.filter((one) => one.target === target && one.workload === workload.name);
  const reference = of(REFERENCE);
  const straight = of(NO_GATEWAY);
  const added = (own: readonly Measurement[], key: "firstByteP50Ms" | "firstByteP99Ms"): string =>
    formatMs(spreadOf(perRound(own, straight, (a, b) => a[key] - b[key])));
  // What a rival answered wrongly was not measured.
  const measured = targets.filter(({ name }) => of(name).length > 0);
  const rows = measured.map(({ name, title }) => {
    const own = of(name);
    if (name === NO_GATEWAY) {
      const perSecond = spreadOf(own.map((one) => one.unitsASecond)).median.toFixed(0);
      return [title, perSecond, "", "", "", "", "", ""];
    }
    return [
      title,
      spreadOf(own.map((one) => one.unitsASecond)).median.toFixed(0),
      formatRatio(spreadOf(perRound(own, reference, (a, b) => a.unitsASecond / b.unitsASecond))),
      formatSpread(spreadOf(own.map((one) => one.cpuMicrosAUnit))),
      formatRatio(
        spreadOf(perRound(own, reference, (a, b) => a.cpuMicrosAUnit / b.cpuMicrosAUnit)),
      ),
      added(own, "firstByteP50Ms"),
      added(own, "firstByteP99Ms"),
      spreadOf(own.map((one) => one.loadedMegabytes)).median.toFixed(0),
    ];
  });
  const { unit } = workload;
  const head = [
    workload.title,
    `${unit}s/s`,
    "× bare",
    `CPU µs per ${unit}`,
    "× bare",
    "added p50",
    "added p99",
    "RSS MB",
  ];
  return toMarkdown(head, rows);
}

function formatIdle(measurements: readonly Measurement[], { targets }: ReportPlan): string {
  const rows = targets
    .filter(({ name }) => name !== NO_GATEWAY && measurements.some(({ target }) => target === name))
    .map(({ name, title }) => {
      const own = measurements.filter((one) => one.target === name);
      const ready = spreadOf(own.map((one) => one.readyMs));
      const idle = spreadOf(own.map((one) => one.idleMegabytes));
      return [title, `${ready.median.toFixed(0)} ms`, idle.median.toFixed(0)];
    });
  return toMarkdown(["at rest", "start to ready", "RSS MB"], rows);
}

function perRound(
  own: readonly Measurement[],
  other: readonly Measurement[],
  combine: (a: Measurement, b: Measurement) => number,
): number[] {
  return own.flatMap((one) => {
    const match = other.find(({ round }) => round === one.round);
    return match === undefined ? [] : [combine(one, match)];
  });
}

function formatSpread({ median, min, max }: Spread): string {
  return `${median.toFixed(1)} (${min.toFixed(1)}–${max.toFixed(1)})`;
}

function formatRatio({ median, min, max }: Spread): string {
  return Number.isNaN(median) ? "" : `${median.toFixed(2)} (${min.toFixed(2)}–${max.toFixed(2)})`;
}

function formatMs({ median }: Spread): string {
  return Number.isNaN(median) ? "" : `${median.toFixed(2)} ms`;
}

function toMarkdown(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const rule = head.map((_, index) => (index === 0 ? "---" : "--:"));
  return [head, rule, ...rows].map(formatLine).join("\n");
}

function formatLine(cells: readonly string[]): string {
  return `| ${cells.join(" | ")} |`;
}
