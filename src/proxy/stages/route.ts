import type { Call, Refusal } from "../call.ts";
import type { Snapshot } from "../snapshot.ts";

export interface RouteDeps {
  readonly snapshot: Snapshot;
}

/** Chooses a provider key of the call's own environment. There is no way from here to a key of another one. */
export async function route(deps: RouteDeps, call: Call): Promise<Refusal | undefined> {
  const key = call.key;
  if (key === undefined) throw new Error("route comes after authenticate");
  let routes;
  try {
    routes = await deps.snapshot.routesOf(key.environmentId);
  } catch {
    return {
      code: "store_unavailable",
      message: "The environment's provider key could not be read. Try again shortly.",
    };
  }
  const [best] = routes;
  if (best === undefined) {
    return {
      code: "no_provider_key",
      message: `The ${key.environmentName} environment has no provider key. Add one with \`keyward provider-keys add --account <account> --environment ${key.environmentName}\`.`,
    };
  }
  call.route = best;
  return undefined;
}
