import type { EnvironmentId } from "../core/ids/ids.ts";
import { isAllowedBy } from "../core/routing/routing-rule.ts";
import type { ProviderKeyRecord, RoutingRuleRecord } from "../store/records.ts";
import type { Repositories, Store } from "../store/store.ts";

/** A provider key with the name of its account's provider. */
export interface PlacedKey {
  readonly key: ProviderKeyRecord;
  readonly account: string;
  readonly provider: string;
}

/** The keys that an environment's calls may go to, oldest first. */
export async function listPlacedKeys(
  store: Pick<Store, "providerKeys" | "providerAccounts">,
  environmentId: EnvironmentId,
): Promise<readonly PlacedKey[]> {
  const keys = await store.providerKeys.listActive(environmentId);
  const accountIds = [...new Set(keys.map((key) => key.accountId))];
  const accounts = await Promise.all(accountIds.map((id) => store.providerAccounts.findById(id)));
  return keys.flatMap((key) => {
    const account = accounts.find((one) => one?.id === key.accountId);
    return account === undefined
      ? []
      : [{ key, account: account.name, provider: account.provider }];
  });
}

/** Those of the keys that a rule lets calls go to. */
export function keysAllowedBy(
  rule: Pick<RoutingRuleRecord, "provider" | "accountId">,
  keys: readonly PlacedKey[],
): readonly PlacedKey[] {
  return keys.filter(({ key, provider }) =>
    isAllowedBy(rule, { provider, accountId: key.accountId }),
  );
}

/**
 * Puts a rule at its place among the others of its environment, counted from 1; the others keep their order. Without a
 * place it stays where it is, and a new one comes last. Within a transaction: two changes at once would else both count the same places.
 */
export async function placeRule(
  { routingRules }: Pick<Repositories, "routingRules">,
  rule: RoutingRuleRecord,
  position: number | undefined,
): Promise<void> {
  const before = await routingRules.listOf(rule.environmentId);
  const others = before.filter(({ id }) => id !== rule.id);
  const index = before.findIndex(({ id }) => id === rule.id);
  const ownIndex = index === -1 ? others.length : index;
  const ordered = others.toSpliced(position === undefined ? ownIndex : position - 1, 0, rule);
  for (const [at, one] of ordered.entries()) {
    const place = at + 1;
    if (one === rule && index === -1) await routingRules.insert({ ...one, position: place });
    else if (one === rule || one.position !== place) {
      await routingRules.update({ ...one, position: place });
    }
  }
}
