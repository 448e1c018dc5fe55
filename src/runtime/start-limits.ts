import { isId, type LimitId } from "../core/ids/ids.ts";
import type { Limit } from "../core/limits/limit.ts";
import { SharedLimits, type SharedLimitsDeps } from "../ledger/limits/shared-limits.ts";
import { MAX_PAGE_SIZE, type Store } from "../store/store.ts";
import type { Closers } from "./closers.ts";

/** How often the store is told of what was given back. */
const TICK_MS = 100;

/** Limits that are kept by all processes together; none is known until `Reloads` has brought them. */
export function startLimits(
  deps: Omit<SharedLimitsDeps, "uses"> & { readonly store: Pick<Store, "limitUses"> },
  closers: Closers,
): SharedLimits {
  const limits = new SharedLimits({ ...deps, uses: deps.store.limitUses });
  const timer = setInterval(() => limits.tick(), TICK_MS);
  closers.add("limits", async () => {
    clearInterval(timer);
    await limits.close();
  });
  return limits;
}

/** Those that the changes are about, and which of them are there. */
export async function listChangedLimits(
  { limits }: Pick<Store, "limits">,
  changes: readonly { readonly kind: string; readonly entityId: string }[],
): Promise<{ readonly ids: readonly LimitId[]; readonly found: readonly Limit[] }> {
  const ids = changes.flatMap(({ kind, entityId }) =>
    kind === "limit" && isId("lim", entityId) ? [entityId] : [],
  );
  const distinct = [...new Set(ids)];
  const found: Limit[] = [];
  for (let start = 0; start < distinct.length; start += MAX_PAGE_SIZE) {
    found.push(...(await limits.findMany(distinct.slice(start, start + MAX_PAGE_SIZE))));
  }
  return { ids: distinct, found };
}
