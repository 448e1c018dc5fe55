import type { ProviderAccountId } from "../../core/ids/ids.ts";
import type { AccountGate } from "../../proxy/account-gate.ts";
import type { Store } from "../../store/store.ts";
import type { AccountLimitSource } from "./account-limit-findings.ts";

interface AccountLimitDeps {
  readonly gate: Pick<AccountGate, "listUses">;
  readonly store: { readonly providerAccounts: Pick<Store["providerAccounts"], "findById"> };
}

/** What is used of accounts' own limits, as providers have told this process. */
export function createAccountLimitSource({ gate, store }: AccountLimitDeps): AccountLimitSource {
  return {
    async *list() {
      const names = new Map<ProviderAccountId, string | undefined>();
      for (const { accountId, model, of, used, limit } of gate.listUses()) {
        if (!names.has(accountId)) {
          names.set(accountId, (await store.providerAccounts.findById(accountId))?.name);
        }
        const accountName = names.get(accountId);
        if (accountName === undefined) continue;
        yield { accountId, accountName, what: `${of} for ${model}`, used: Math.ceil(used), limit };
      }
    },
  };
}
