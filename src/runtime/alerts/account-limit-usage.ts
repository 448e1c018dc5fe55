import type { ProviderAccountId } from "../../core/ids/ids.ts";
import { type AccountUse, type DemandPeak, HOUR_MS } from "../../core/limits/account-demand.ts";
import { LIMITED_AMOUNTS, limitOf } from "../../core/limits/account-figures.ts";
import type { AccountGate } from "../../proxy/account-gate.ts";
import type { Store } from "../../store/store.ts";
import type { AccountLimitSource } from "./account-limit-findings.ts";

interface AccountLimitDeps {
  readonly gate: Pick<AccountGate, "listUses">;
  readonly store: {
    readonly providerAccounts: Pick<Store["providerAccounts"], "findById">;
    readonly accountDemand: Pick<Store["accountDemand"], "listRecentPeaks">;
  };
}

interface LimitUse extends AccountUse {
  readonly peak: DemandPeak | null;
}

/** Accounts and models that are looked at, the busiest. */
const MAX_LOOKED_AT = 1_000;

/**
 * What is used of accounts' own limits, as providers have told this process, and what all processes were asked for in the
 * busiest minute of the last hour.
 */
export function createAccountLimitSource({ gate, store }: AccountLimitDeps): AccountLimitSource {
  return {
    async *list(nowMs) {
      const request = { fromMs: nowMs - HOUR_MS, limit: MAX_LOOKED_AT };
      const uses = new Map<string, LimitUse>();
      for (const use of peaksOf(await store.accountDemand.listRecentPeaks(request))) {
        uses.set(keyOf(use), use);
      }
      for (const use of gate.listUses()) {
        uses.set(keyOf(use), { ...use, peak: uses.get(keyOf(use))?.peak ?? null });
      }
      const names = new Map<ProviderAccountId, string | undefined>();
      for (const { accountId, model, of, used, limit, peak } of uses.values()) {
        if (!names.has(accountId)) {
          names.set(accountId, (await store.providerAccounts.findById(accountId))?.name);
        }
        const accountName = names.get(accountId);
        if (accountName === undefined) continue;
        const what = `${of} for ${model}`;
        yield { accountId, accountName, what, used: Math.ceil(used), limit, peak };
      }
    },
  };
}

/** Of the limits that were told. */
function peaksOf(
  all: Awaited<ReturnType<Store["accountDemand"]["listRecentPeaks"]>>,
): readonly LimitUse[] {
  return all.flatMap((peaks) =>
    LIMITED_AMOUNTS.flatMap((of) => {
      const { accountId, model } = peaks;
      const limit = limitOf(peaks, of);
      return limit === null ? [] : [{ accountId, model, of, used: 0, limit, peak: peaks[of] }];
    }),
  );
}

function keyOf({ accountId, model, of }: Pick<LimitUse, "accountId" | "model" | "of">): string {
  return JSON.stringify([accountId, model, of]);
}
