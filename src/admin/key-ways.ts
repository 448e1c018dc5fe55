import type { EnvironmentRecord } from "../store/records.ts";
import type { Store } from "../store/store.ts";
import type { AdminDeps } from "./admin-deps.ts";
import { isSimulated, judgeProviderKey } from "./judge-provider-key.ts";

interface WaysDeps extends Pick<AdminDeps, "providers"> {
  readonly store: Pick<Store, "environments" | "providerAccounts" | "providerKeys" | "rotation">;
}

/** The provider keys of an environment, by what they are good for. */
export interface KeyWays {
  /** Those that are not revoked. */
  readonly active: number;
  /** Of these, those that its policy shuts out: no call goes by them. */
  readonly refused: number;
  /** Of the others, the simulator's, whose answers are made up. */
  readonly simulated: number;
}

export async function countKeyWays(
  deps: WaysDeps,
  environment: EnvironmentRecord,
): Promise<KeyWays> {
  const { store, providers } = deps;
  const keys = await store.providerKeys.listActive(environment.id);
  const facts = await store.rotation.keyFacts.ofAll(keys.map(({ id }) => id));
  let refused = 0;
  let simulated = 0;
  for (const key of keys) {
    const broken = await judgeProviderKey(deps, environment, key, facts.get(key.id)?.ownership);
    const account = await store.providerAccounts.findById(key.accountId);
    if (broken.some(({ mode }) => mode === "enforce")) refused += 1;
    else if (account !== undefined && isSimulated(providers, account)) simulated += 1;
  }
  return { active: keys.length, refused, simulated };
}
