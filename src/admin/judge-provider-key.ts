import { accountKindOf, type Ownership } from "../core/keys/ownership.ts";
import { resolvePolicy } from "../core/policy/environment-policy.ts";
import {
  type BrokenRule,
  judgeKey,
  judgeNewKey,
  type KeyPlacement,
  type RuledEnvironment,
} from "../core/policy/provider-key-rules.ts";
import type { ProviderRegistry } from "../providers/provider.ts";
import type {
  EnvironmentRecord,
  ProviderAccountRecord,
  ProviderKeyRecord,
} from "../store/records.ts";
import type { Store } from "../store/store.ts";

interface JudgeDeps {
  readonly store: Pick<Store, "environments" | "providerAccounts" | "providerKeys">;
  readonly providers: Pick<ProviderRegistry, "find">;
}

/** What a provider key that is there breaks in its environment, by the policy as it is now; `ownership`: of its facts. */
export async function judgeProviderKey(
  { store, providers }: JudgeDeps,
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
    ...whoseKey(account, ownership),
    isSimulated: account !== undefined && isSimulated(providers, account),
    others: await otherEnvironments(store, environment, active),
  });
}

export function isSimulated(
  providers: Pick<ProviderRegistry, "find">,
  { provider }: Pick<ProviderAccountRecord, "provider">,
): boolean {
  return providers.find(provider)?.isSimulated === true;
}

/** What a secret breaks that is to come into an environment, as a key or in the place of a key's own. */
export async function judgeSecret(
  store: Pick<Store, "environments" | "providerKeys">,
  environment: EnvironmentRecord,
  {
    account,
    ownership,
    fingerprint,
    isSimulated: isOfSimulator = false,
  }: {
    readonly account: Pick<ProviderAccountRecord, "kind"> | undefined;
    readonly ownership: Ownership | undefined;
    readonly fingerprint: string;
    /** Absent: not asked; another secret for a key leaves it in its account. */
    readonly isSimulated?: boolean | undefined;
  },
): Promise<SecretVerdict> {
  const active = await store.providerKeys.findActiveByFingerprint(fingerprint);
  const broken = judgeNewKey({
    environment: ruled(environment),
    ...whoseKey(account, ownership),
    isSimulated: isOfSimulator,
    others: await otherEnvironments(store, environment, active),
  });
  const refused = broken.find(({ mode }) => mode === "enforce");
  return {
    twin: active.find(({ environmentId }) => environmentId === environment.id),
    refusal: refused && { rule: refused.rule, message: refusalOf(refused, active) },
    warnings: broken.filter(({ mode }) => mode === "warn").map(({ message }) => message),
  };
}

export interface SecretVerdict {
  /** The key that has the secret in this very environment already; whatever its policy, no secret is twice in one. */
  readonly twin: ProviderKeyRecord | undefined;
  /** The first rule that is enforced and broken. */
  readonly refusal: Pick<BrokenRule, "rule" | "message"> | undefined;
  /** Of rules that only warn. */
  readonly warnings: readonly string[];
}

/** With the keys that have the secret already: one of those may be the one to revoke. */
function refusalOf({ rule, message }: BrokenRule, active: readonly ProviderKeyRecord[]): string {
  if (rule !== "one_environment_per_provider_key") return message;
  const holders = active.map(({ name, id }) => `\`${name}\` (${id})`).join(", ");
  return `${message} It is provider key ${holders} there.`;
}

/** So declared of its account, or told by what is known of the secret. */
function whoseKey(
  account: Pick<ProviderAccountRecord, "kind"> | undefined,
  ownership: Ownership | undefined,
): Pick<KeyPlacement, "isPersonal" | "evidence"> {
  const found = ownership && accountKindOf(ownership.owner);
  if (found === "personal") return { isPersonal: true, evidence: ownership?.evidence?.detail };
  const isPersonal = account?.kind === "personal";
  const although = found === "organization" ? ", although its secret is a service account's" : "";
  return { isPersonal, evidence: isPersonal ? `its account is \`personal\`${although}` : null };
}

/** The environments of these keys besides one. */
async function otherEnvironments(
  { environments }: Pick<Store, "environments">,
  { id }: Pick<EnvironmentRecord, "id">,
  keys: readonly ProviderKeyRecord[],
): Promise<readonly RuledEnvironment[]> {
  const ids = new Set(keys.map(({ environmentId }) => environmentId).filter((one) => one !== id));
  const found = await Promise.all([...ids].map((one) => environments.findById(one)));
  return found.filter((one) => one !== undefined).map(ruled);
}

function ruled({ name, kind, policy }: EnvironmentRecord): RuledEnvironment {
  return { name, policy: resolvePolicy(kind, policy) };
}
