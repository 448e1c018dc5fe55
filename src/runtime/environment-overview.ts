import { countKeyWays } from "../admin/key-ways.ts";
import { hasSimulatorStandIn } from "../core/environments/environment.ts";
import { listAll } from "../store/list-all.ts";
import type { EnvironmentOverview } from "./start-report.ts";

/** Oldest first. */
export async function listEnvironments(
  deps: Parameters<typeof countKeyWays>[0],
): Promise<EnvironmentOverview[]> {
  const rows = await listAll((page) => deps.store.environments.list(page));
  const overviews = rows.map(async (environment) => {
    const { name, kind } = environment;
    const { active, refused, simulated } = await countKeyWays(deps, environment);
    const isSimulated = active === 0 && hasSimulatorStandIn(kind);
    const keys = { providerKeys: active, refusedKeys: refused, simulatorKeys: simulated };
    return { name, kind, ...keys, isSimulated };
  });
  return (await Promise.all(overviews)).toReversed();
}
