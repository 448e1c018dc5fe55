import { listAll } from "../store/list-all.ts";
import type { Store } from "../store/store.ts";
import type { EnvironmentOverview } from "./start-report.ts";

/** Oldest first. */
export async function listEnvironments(store: Store): Promise<EnvironmentOverview[]> {
  const rows = await listAll((page) => store.environments.list(page));
  const overviews = rows.map(async ({ id, name, kind }) => {
    const providerKeys = (await store.providerKeys.listActive(id)).length;
    return { name, kind, providerKeys, isSimulated: providerKeys === 0 && kind === "development" };
  });
  return (await Promise.all(overviews)).toReversed();
}
