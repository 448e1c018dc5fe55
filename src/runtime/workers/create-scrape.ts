import { mergeExpositions } from "../../telemetry/prometheus/merge-expositions.ts";
import type { Peers } from "./peers.ts";

/** The answer to a scrape: this process's own, or where it is one of several, that of all of them. */
export function createScrape(own: () => Promise<string>, peers?: Peers): () => Promise<string> {
  if (peers === undefined) return own;
  peers.onQuestion(own);
  return async () => {
    const answers = await peers.ask({ kind: "metrics" });
    return mergeExpositions(answers.map(({ worker, answer }) => ({ worker, text: answer })));
  };
}
