import type { Config } from "../config/config-schema.ts";
import { createIpRanges } from "../core/network/ip-ranges.ts";
import { BodyBudget } from "../proxy/body-budget.ts";
import { PolicyWatch, type PolicyWatchDeps } from "../proxy/policy-watch.ts";

/** What the data plane holds calls to: bounds of this process, and what it takes for the rules of keys and environments. */
export function createCallRules(
  config: Pick<
    Config,
    | "trustedProxies"
    | "clientAddressHeader"
    | "maxHeldBodyBytes"
    | "maxJsonBodyBytes"
    | "maxInFlightCalls"
  >,
  deps: PolicyWatchDeps,
) {
  const { trustedProxies, clientAddressHeader, maxJsonBodyBytes, maxInFlightCalls } = config;
  return {
    policyWatch: new PolicyWatch(deps),
    trustedProxies: trustedProxies.length === 0 ? null : createIpRanges(trustedProxies),
    clientAddressHeader,
    bodyBudget: new BodyBudget(config.maxHeldBodyBytes),
    maxJsonBodyBytes,
    maxInFlightCalls,
  };
}
