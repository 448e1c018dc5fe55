import type { Config } from "../../config/config-schema.ts";
import type { IdFactory } from "../../core/ids/ids.ts";
import { createAllowedHosts } from "../../core/network/allowed-hosts.ts";
import type { AccountGate } from "../../proxy/account-gate.ts";
import type { RouteHealth } from "../../proxy/route-health.ts";
import type { Store } from "../../store/store.ts";
import { type CallObserver, combineObservers } from "../../telemetry/call-observer.ts";
import type { Log } from "../../telemetry/log.ts";
import type { Vault } from "../../vault/vault.ts";
import type { Closers } from "../closers.ts";
import { createAccountLimitSource } from "./account-limit-usage.ts";
import { createBudgetUsageSource } from "./budget-usage.ts";
import { createAlerts } from "./start-alerts.ts";

interface GatewayParts {
  readonly request: {
    readonly config: Pick<Config, "allowedPrivateHosts">;
    readonly log: Log;
  };
  readonly store: Store;
  readonly vault: Pick<Vault, "open">;
  readonly ids: Pick<IdFactory, "create">;
}

/**
 * Starts the alerts of a gateway: over its store, and over what its process has learned of provider keys. Returns the
 * observer of calls that tells them as well.
 */
export function startAlerts(
  parts: GatewayParts,
  process: {
    readonly routeHealth: RouteHealth;
    readonly accountGate: Pick<AccountGate, "listUses">;
    readonly observer: CallObserver;
  },
  closers: Closers,
): CallObserver {
  const { config, log } = parts.request;
  const alerts = createAlerts({
    ...parts,
    allowedHosts: createAllowedHosts(config.allowedPrivateHosts),
    healthOf: ({ id, accountId }) => process.routeHealth.describe({ keyId: id, accountId }),
    budgets: createBudgetUsageSource(parts.store.budgets),
    accountLimits: createAccountLimitSource({ gate: process.accountGate, store: parts.store }),
    monotonicMs: () => performance.now(),
    nowMs: Date.now,
    random: Math.random,
    log,
  });
  alerts.start();
  closers.add("alerts", () => alerts.stop());
  return combineObservers([process.observer, alerts.observer]);
}
