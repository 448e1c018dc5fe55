/**
 * Targets side by side: all of them run at once, and take turns of a fraction of a second under load. Whatever else the
 * machine does slows a turn of each alike, so ratios hold on a machine that is not quiet, where rounds of their own do
 * not. Without latencies.
 */
import { runLoad } from "./load/load.ts";
import { cpuMicrosOf, processTreeOf } from "./measure/process-usage.ts";
import { spreadOf, type Spread } from "./measure/statistics.ts";
import type { RunningTarget } from "./targets/target.ts";
import { createRequest, type Workload } from "./workloads.ts";

export interface SideBySide {
  readonly title: string;
  readonly running: RunningTarget;
}

export interface TurnsPlan {
  readonly workload: Workload;
  readonly turns: number;
  readonly turnMs: number;
  /** Under load before the first turn. */
  readonly warmUpMs: number;
}

export interface TurnFigures {
  readonly title: string;
  readonly cpuMicrosAUnit: Spread;
  /** To the first target, each turn to its neighbour. Of these the quartiles and the median, and not the extremes. */
  readonly ratio: Spread;
  readonly responses: number;
}

/** Into a turn, connections are opened and sockets warm up. */
const TURN_WARM_UP_MS = 150;

export async function runInTurns(
  targets: readonly SideBySide[],
  plan: TurnsPlan,
): Promise<readonly TurnFigures[]> {
  const responses = targets.map(() => 0);
  for (const [index, { running }] of targets.entries()) {
    responses[index] = (await takeTurn(running, plan, plan.warmUpMs)).responses;
  }
  const figures: number[][] = targets.map(() => []);
  for (let turn = 0; turn < plan.turns; turn += 1) {
    // Back and forth, so that nobody always comes after the same one.
    const order = [...targets.entries()];
    for (const [index, { running }] of turn % 2 === 0 ? order : order.toReversed()) {
      const taken = await takeTurn(running, plan, plan.turnMs);
      figures[index]?.push(taken.cpuMicrosAUnit);
      responses[index] = (responses[index] ?? 0) + taken.responses;
    }
  }
  const [first = []] = figures;
  return targets.map(({ title }, index) => {
    const own = figures[index] ?? [];
    const ratios = own.map((figure, turn) => figure / (first[turn] ?? NaN));
    return {
      title,
      cpuMicrosAUnit: spreadOf(own),
      ratio: quartilesOf(ratios),
      responses: responses[index] ?? 0,
    };
  });
}

async function takeTurn(running: RunningTarget, { workload }: TurnsPlan, measuredMs: number) {
  const pids = processTreeOf(running.pid);
  let cpuBefore = 0;
  let cpuMicros = 0;
  const { responses } = await runLoad(
    {
      port: running.port,
      request: createRequest(running.path, running.headers, workload.body),
      minBodyBytes: workload.minBodyBytes,
      connections: workload.connections,
      warmUpMs: TURN_WARM_UP_MS,
      measuredMs,
      pauseMs: 0,
    },
    {
      onStart: () => (cpuBefore = cpuMicrosOf(pids)),
      onEnd: () => (cpuMicros = cpuMicrosOf(pids) - cpuBefore),
    },
  );
  return { responses, cpuMicrosAUnit: cpuMicros / (responses * workload.unitsAResponse) };
}

function quartilesOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number): number => sorted[Math.floor((sorted.length - 1) * share)] ?? NaN;
  return { min: at(0.25), median: at(0.5), max: at(0.75) };
}

export function formatTurns(figures: readonly TurnFigures[], { workload }: TurnsPlan): string {
  const rows = figures.map(({ title, cpuMicrosAUnit, ratio }) => {
    const { min, median } = cpuMicrosAUnit;
    const quartiles = `${ratio.min.toFixed(2)}–${ratio.max.toFixed(2)}`;
    return `| ${title} | ${median.toFixed(1)} | ${min.toFixed(1)} | ${ratio.median.toFixed(2)} (${quartiles}) |`;
  });
  return [
    `| ${workload.title} | CPU µs per ${workload.unit} | least | × the first |`,
    "| --- | --: | --: | --: |",
    ...rows,
  ].join("\n");
}
