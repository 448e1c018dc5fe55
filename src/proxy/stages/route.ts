import { findRule } from "../../core/routing/routing-rule.ts";
import { servesCall } from "../../providers/serves-call.ts";
import type { AccountGate } from "../account-gate.ts";
import type { Call, Refusal } from "../call.ts";
import { chooseRoute, type ChooseRouteDeps, type NoRoute } from "../choose-route.ts";
import { pricedWays, unpricedModel, type PricedWaysDeps } from "../priced-ways.ts";
import type {
  EnvironmentRouting,
  KeyEntry,
  ProviderRoute,
  RoutingRule,
  Snapshot,
} from "../snapshot.ts";
import { laneOwnerOf } from "./enter-account.ts";

export interface RouteDeps extends ChooseRouteDeps, PricedWaysDeps {
  readonly snapshot: Snapshot;
  readonly accountGate: Pick<AccountGate, "maxWaitMs" | "closeFor">;
}

/**
 * Finds the ways a call may go, by the routing rules of its own environment, and chooses one. There is no way from
 * here to a key of another environment.
 */
export function route(
  deps: RouteDeps,
  call: Call,
): Refusal | undefined | Promise<Refusal | undefined> {
  const { key } = call;
  if (key === undefined) throw new Error("route comes after authenticate");
  const routing = deps.snapshot.routingOf(key.environmentId);
  if (!(routing instanceof Promise)) return routeWithin(deps, call, { key, routing });
  return routing.then(
    (loaded) => routeWithin(deps, call, { key, routing: loaded }),
    () => STORE_UNAVAILABLE,
  );
}

const STORE_UNAVAILABLE: Refusal = {
  code: "store_unavailable",
  message: "The environment's provider keys could not be read. Try again shortly.",
};

function routeWithin(
  deps: RouteDeps,
  call: Call,
  { key, routing }: { readonly key: KeyEntry; readonly routing: EnvironmentRouting },
): Refusal | undefined {
  const model = call.peeked?.model ?? null;
  const rule = findRule(routing.rules, model);
  if (rule !== undefined && rule.routes.length === 0) return unusableRule(key, rule);
  const targetModel = model === null ? null : (rule?.targetModel ?? null);
  if (targetModel !== null && key.allowedModels?.has(targetModel) === false) {
    return {
      code: "model_not_allowed",
      message: `This environment sends "${clip(model ?? "")}" to the model "${targetModel}" (routing rule ${rule?.id}), and this key may not call that one.`,
      param: "model",
    };
  }
  if (targetModel !== null && targetModel !== model && call.peeked?.scan === null) {
    return {
      code: "routing_rule_unusable",
      message: `The routing rule ${rule?.id} of the ${key.environmentName} environment sends "${clip(model ?? "")}" as "${targetModel}", and ${call.request.path} is sent a form, which Keyward does not change. Ask for "${targetModel}" itself.`,
      param: "model",
    };
  }
  call.routing = routing;
  call.upstreamModel = targetModel ?? model;
  const ways = rule?.routes ?? routing.routes;
  if (ways.length === 0) return noProviderKey(key, routing.barredKeys ?? 0);
  call.candidates = servingWays(ways, call);
  if (call.candidates.length === 0) return endpointNotServed(call, key, rule);
  if (routing.unpricedPolicy === "refuse") {
    call.candidates = pricedWays(deps, call, call.candidates);
    if (call.candidates.length === 0) return unpricedModel(call, key.environmentName);
  }
  const chosen = chooseRoute(deps, call);
  if (chosen.route === undefined) {
    return waitForAccount(deps, call, chosen) ? undefined : noneIsWell(key, chosen);
  }
  call.route = chosen.route;
  call.circuitTicket = chosen.ticket;
  return undefined;
}

/** An account that has asked for a little time is waited for, in the order that its gate keeps. */
function waitForAccount(
  { accountGate, routeHealth, monotonicMs }: RouteDeps,
  call: Call,
  { rateLimited, retryAfterMs }: NoRoute,
): boolean {
  const owner = laneOwnerOf(call, rateLimited);
  if (rateLimited === undefined || owner === undefined) return false;
  if (retryAfterMs > accountGate.maxWaitMs) return false;
  accountGate.closeFor(owner, retryAfterMs);
  call.route = rateLimited;
  call.circuitTicket = routeHealth.enter(rateLimited, monotonicMs());
  return true;
}

/** The list itself in the common case that every provider in it speaks the client's dialect and has the endpoint. */
function servingWays(ways: readonly ProviderRoute[], call: Call): readonly ProviderRoute[] {
  const { dialect } = call;
  const { method, path } = call.request;
  const serves = ({ provider }: ProviderRoute): boolean =>
    servesCall(provider, { dialect, method, path });
  for (const way of ways) if (!serves(way)) return ways.filter(serves);
  return ways;
}

function noProviderKey({ environmentName }: KeyEntry, barredKeys: number): Refusal {
  if (barredKeys > 0) {
    return {
      code: "provider_key_not_allowed",
      message: `The policy of the ${environmentName} environment refuses its provider keys (${barredKeys}). \`keyward environments policy ${environmentName}\` says why; add a key that it allows.`,
    };
  }
  return {
    code: "no_provider_key",
    message: `The ${environmentName} environment has no provider key. Add one with \`keyward provider-keys add --account <account> --environment ${environmentName}\`.`,
  };
}

function unusableRule({ environmentName }: KeyEntry, rule: RoutingRule): Refusal {
  return {
    code: "routing_rule_unusable",
    message: `The routing rule ${rule.id} of the ${environmentName} environment is for this model and allows no provider key that is there. Add a key of the account or provider it names, or change it: \`keyward routing-rules list --environment ${environmentName}\`.`,
  };
}

function endpointNotServed(call: Call, key: KeyEntry, rule: RoutingRule | undefined): Refusal {
  const by = rule === undefined ? "" : ` that routing rule ${rule.id} allows`;
  return {
    code: "endpoint_not_served",
    message: `No provider of the ${key.environmentName} environment${by} has ${call.request.method} ${clip(call.request.path)}. Add a key of one that has it${rule === undefined ? "" : ", or change the rule"}: \`keyward providers list\` says which API each speaks.`,
  };
}

function noneIsWell(
  { environmentName }: KeyEntry,
  { isRateLimited, retryAfterMs }: NoRoute,
): Refusal {
  const soon = `Try again in ${Math.max(1, Math.ceil(retryAfterMs / 1000))} s.`;
  return isRateLimited
    ? {
        code: "provider_rate_limited",
        message: `No provider key of the ${environmentName} environment can take this call now: its accounts have asked for time. ${soon}`,
        retryAfterMs,
      }
    : {
        code: "no_healthy_provider",
        message: `No provider key of the ${environmentName} environment can take this call now: they have failed, and are left alone for a moment. ${soon} \`keyward provider-keys list\` shows them.`,
        retryAfterMs,
      };
}

function clip(text: string): string {
  return text.slice(0, 100);
}
