import { performance } from "node:perf_hooks";
import type { Config } from "../config/config-schema.ts";
import type { ProcessId } from "../core/ids/ids.ts";
import { DEFAULT_CIRCUIT_RULE } from "../core/routing/circuit.ts";
import { AccountGate } from "../proxy/account-gate.ts";
import type { FailoverDeps } from "../proxy/failover.ts";
import { RouteHealth } from "../proxy/route-health.ts";
import type { Store } from "../store/store.ts";
import type { Log } from "../telemetry/log.ts";
import { AccountSharing } from "./accounts/account-sharing.ts";
import { DemandWriter } from "./accounts/demand-writer.ts";
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

interface FailoverRequest {
  readonly config: FailoverConfig;
  readonly store: Pick<Store, "accountViews" | "accountDemand" | "processes">;
  readonly processId: ProcessId;
  readonly log: Log;
}

/** What the data plane chooses among provider keys with, by the settings and by what other processes tell. */
export function startFailoverParts(
  { config, store, processId, log }: FailoverRequest,
  closers: Pick<Closers, "add">,
): FailoverParts {
  const accountGate = new AccountGate({
    maxWaitMs: config.accountQueueMaxWaitMs,
    maxCalls: config.accountQueueMaxCalls,
    monotonicMs,
    nowMs: Date.now,
    log,
  });
  const demand = new DemandWriter({
    gate: accountGate,
    demands: store.accountDemand,
    monotonicMs,
    log,
  });
  demand.start();
  closers.add("accounts' figures", () => demand.stop());
  closers.add("calls that wait for an account", async () => accountGate.close());
  const routeHealth = new RouteHealth({
    rule: { ...DEFAULT_CIRCUIT_RULE, consecutiveFailures: config.circuitFailures },
    monotonicMs,
    log,
  });
  const sharing = new AccountSharing({
    views: store.accountViews,
    processes: store.processes,
    gate: accountGate,
    routeHealth,
    processId,
    monotonicMs,
    log,
  });
  sharing.start();
  closers.add("accounts' shared limits", () => sharing.stop());
  return {
    accountGate,
    routeHealth,
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
