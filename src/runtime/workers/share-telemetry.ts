import { mergeExpositions } from "../../telemetry/prometheus/merge-expositions.ts";
import type { Telemetry } from "../start-telemetry.ts";
import type { Peers } from "./peers.ts";

/**
 * The answer to a scrape: this process's own, or where it is one of several workers, that of all of them. They tell each
 * other of their calls then, too, for whoever reads one's live feed.
 */
export function shareTelemetry(
  telemetry: Pick<Telemetry, "scrape" | "feed">,
  gauges: Parameters<Telemetry["scrape"]>[0],
  peers?: Peers,
): () => Promise<string> {
  const own = (): Promise<string> => telemetry.scrape(gauges);
  if (peers === undefined) return own;
  peers.onQuestion(own);
  peers.share(telemetry.feed);
  return async () => {
    const answers = await peers.ask({ kind: "metrics" });
    return mergeExpositions(answers.map(({ worker, answer }) => ({ worker, text: answer })));
  };
}
