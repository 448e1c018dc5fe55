import type { ProviderAccountId } from "../../core/ids/ids.ts";
import type { AskJson, KeyAdministration } from "../../providers/key-administration.ts";
import type { Provider, ProviderRegistry } from "../../providers/provider.ts";
import type { ProviderAccountRecord } from "../../store/records.ts";
import type { Store } from "../../store/store.ts";
import { ADMINISTRATION_SCOPE, type Vault } from "../../vault/vault.ts";

export interface AccountDeskDeps {
  readonly store: Pick<Store, "providerAccounts" | "rotation">;
  readonly vault: Pick<Vault, "open">;
  readonly providers: Pick<ProviderRegistry, "find">;
  readonly ask: AskJson;
}

/** An account with the provider behind it. */
export interface AccountDesk {
  readonly account: ProviderAccountRecord;
  readonly provider: Provider;
  readonly baseUrl: string;
}

export type FoundAdministration =
  | { readonly kind: "ready"; readonly administration: KeyAdministration }
  /** `problem`: what is missing, for people. */
  | { readonly kind: "absent"; readonly problem: string };

/** Throws when the account is not there, or names a provider that is not. */
export async function openDesk(
  { store, providers }: Pick<AccountDeskDeps, "store" | "providers">,
  accountId: ProviderAccountId,
): Promise<AccountDesk> {
  const account = await store.providerAccounts.findById(accountId);
  if (account === undefined) throw new Error(`there is no provider account ${accountId}`);
  const provider = providers.find(account.provider);
  if (provider === undefined) throw new Error(`no provider is called ${account.provider}`);
  const baseUrl = account.baseUrl ?? provider.defaultBaseUrl;
  if (baseUrl === null) throw new Error(`an account at ${provider.name} must name its base URL`);
  return { account, provider, baseUrl };
}

/** The provider's own management of keys, with the account's admin key; or with `secret`, which nobody has kept yet. */
export async function findAdministration(
  deps: AccountDeskDeps,
  { account, provider, baseUrl }: AccountDesk,
  secret?: string,
): Promise<FoundAdministration> {
  if (provider.administer === undefined) {
    const problem = `${provider.title} has no API to manage keys with`;
    return { kind: "absent", problem };
  }
  const opened = secret ?? (await openAdminKey(deps, account.id));
  if (opened === undefined) {
    const problem = `the account \`${account.name}\` has no admin key (\`keyward provider-accounts set-admin-key ${account.name}\` gives it one)`;
    return { kind: "absent", problem };
  }
  const administration = provider.administer({ secret: opened, baseUrl, ask: deps.ask });
  return { kind: "ready", administration };
}

async function openAdminKey(
  { store, vault }: Pick<AccountDeskDeps, "store" | "vault">,
  accountId: ProviderAccountId,
): Promise<string | undefined> {
  const record = await store.rotation.adminKeys.find(accountId);
  if (record === undefined) return undefined;
  return await vault.open(record.sealed, {
    environmentId: ADMINISTRATION_SCOPE,
    secretId: accountId,
    version: record.version,
  });
}
