import { accountKindOf, type Ownership } from "../core/keys/ownership.ts";
import { resolvePolicy } from "../core/policy/environment-policy.ts";
import {
  type BrokenRule,
  judgeKey,
  type RuledEnvironment,
} from "../core/policy/provider-key-rules.ts";
import type {
  EnvironmentRecord,
  ProviderAccountRecord,
  ProviderKeyRecord,
} from "../store/records.ts";
import type { Store } from "../store/store.ts";

type ReadStore = Pick<Store, "environments" | "providerAccounts" | "providerKeys">;

/** What a provider key that is there breaks in its environment, by the policy as it is now; `ownership`: of its facts. */
export async function judgeProviderKey(
  store: ReadStore,
  environment: EnvironmentRecord,
  key: ProviderKeyRecord,
  ownership: Ownership | undefined,
): Promise<readonly BrokenRule[]> {
  const [account, active] = await Promise.all([
    store.providerAccounts.findById(key.accountId),
    store.providerKeys.findActiveByFingerprint(key.fingerprint),
  ]);
  return judgeKey({
    environment: ruled(environment),
    isPersonal: isPersonal(account, ownership),
    others: await otherEnvironments(store, environment, active),
  });
}

/** So declared of its account, or told by what is known of the secret. */
export function isPersonal(
  account: Pick<ProviderAccountRecord, "kind"> | undefined,
  ownership: Ownership | undefined,
): boolean {
  return (
    account?.kind === "personal" ||
    (ownership !== undefined && accountKindOf(ownership.owner) === "personal")
  );
}

/** The environments of these keys besides one. */
export async function otherEnvironments(
  { environments }: Pick<Store, "environments">,
  { id }: Pick<EnvironmentRecord, "id">,
  keys: readonly ProviderKeyRecord[],
): Promise<readonly RuledEnvironment[]> {
  const ids = new Set(keys.map(({ environmentId }) => environmentId).filter((one) => one !== id));
  const found = await Promise.all([...ids].map((one) => environments.findById(one)));
  return found.filter((one) => one !== undefined).map(ruled);
}

export function ruled({ name, kind, policy }: EnvironmentRecord): RuledEnvironment {
  return { name, policy: resolvePolicy(kind, policy) };
}
