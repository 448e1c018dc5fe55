import type { Config } from "../config/config-schema.ts";
import { DEFAULT_CIRCUIT_RULE } from "../core/routing/circuit.ts";
import type { FailoverDeps } from "../proxy/failover.ts";
import { RouteHealth } from "../proxy/route-health.ts";
import type { Log } from "../telemetry/log.ts";

type FailoverConfig = Pick<
  Config,
  "maxAttempts" | "failoverMs" | "unansweredCalls" | "circuitFailures"
>;

/** What the data plane chooses among provider keys with, by the settings. */
export function createFailoverParts(
  config: FailoverConfig,
  log: Log,
): Pick<FailoverDeps, "routeHealth" | "random" | "monotonicMs" | "failover"> {
  return {
    routeHealth: new RouteHealth({
      rule: { ...DEFAULT_CIRCUIT_RULE, consecutiveFailures: config.circuitFailures },
      monotonicMs,
      log,
    }),
    random: Math.random,
    monotonicMs,
    failover: {
      maxAttempts: config.maxAttempts,
      maxMs: config.failoverMs,
      isUnansweredRetried: config.unansweredCalls === "repeat",
    },
  };
}

function monotonicMs(): number {
  return performance.now();
}
