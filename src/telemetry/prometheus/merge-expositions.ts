import { METRICS } from "./metrics.ts";

/** What one of several processes on a port answers a scrape with; undefined when it did not answer in time. */
export interface WorkerExposition {
  readonly worker: number;
  readonly text: string | undefined;
}

const SAMPLE_NAME = /^[a-zA-Z_:][\w:]*/;

/**
 * One exposition of several: every sample gets the label `worker`, and samples of one metric stay together, as the format
 * wants. A worker that did not answer has no samples but `keyward_worker_up`.
 */
export function mergeExpositions(expositions: readonly WorkerExposition[]): string {
  const families = new Map<string, string[]>();
  families.set(
    `# HELP keyward_worker_up ${METRICS.keyward_worker_up.help}\n# TYPE keyward_worker_up gauge`,
    expositions.map(
      ({ worker, text }) => `keyward_worker_up{worker="${worker}"} ${text === undefined ? 0 : 1}`,
    ),
  );
  for (const { worker, text } of expositions) {
    let head = "";
    for (const line of (text ?? "").split("\n")) {
      if (line.startsWith("# HELP")) head = line;
      else if (line.startsWith("#")) head += `\n${line}`;
      else if (line !== "") {
        const samples = families.get(head) ?? [];
        samples.push(withWorker(line, worker));
        families.set(head, samples);
      }
    }
  }
  const lines = [...families].flatMap(([head, samples]) => [head, ...samples]);
  return `${lines.join("\n")}\n`;
}

function withWorker(sample: string, worker: number): string {
  const [name = ""] = SAMPLE_NAME.exec(sample) ?? [];
  const rest = sample.slice(name.length);
  return rest.startsWith("{")
    ? `${name}{worker="${worker}",${rest.slice(1)}`
    : `${name}{worker="${worker}"}${rest}`;
}
