import type { Config } from "../config/config-schema.ts";
import { DEFAULT_CIRCUIT_RULE } from "../core/routing/circuit.ts";
import { AccountGate } from "../proxy/account-gate.ts";
import type { FailoverDeps } from "../proxy/failover.ts";
import { RouteHealth } from "../proxy/route-health.ts";
import type { Log } from "../telemetry/log.ts";
import type { Closers } from "./closers.ts";

type FailoverConfig = Pick<
  Config,
  | "maxAttempts"
  | "failoverMs"
  | "unansweredCalls"
  | "circuitFailures"
  | "accountQueueMaxWaitMs"
  | "accountQueueMaxCalls"
>;

interface FailoverParts extends Pick<
  FailoverDeps,
  "routeHealth" | "random" | "monotonicMs" | "failover"
> {
  readonly accountGate: AccountGate;
}

/** What the data plane chooses among provider keys with, by the settings. */
export function createFailoverParts(
  config: FailoverConfig,
  log: Log,
  closers: Pick<Closers, "add">,
): FailoverParts {
  const accountGate = new AccountGate({
    maxWaitMs: config.accountQueueMaxWaitMs,
    maxCalls: config.accountQueueMaxCalls,
    monotonicMs,
    nowMs: Date.now,
    log,
  });
  closers.add("calls that wait for an account", async () => accountGate.close());
  return {
    accountGate,
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
