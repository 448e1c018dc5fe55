import { isId } from "../core/ids/ids.ts";
import { SharedLimits, type SharedLimitsDeps } from "../ledger/limits/shared-limits.ts";
import { MAX_PAGE_SIZE, type Store } from "../store/store.ts";
import type { Closers } from "./closers.ts";

/** How often the store is told of what was given back. */
const TICK_MS = 100;

export interface ReloadLimitsDeps {
  readonly store: Pick<Store, "limits">;
  readonly limits: Pick<SharedLimits, "apply">;
}

/** Limits that are kept by all processes together; none is known until `loadLimits`. */
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

/** Takes over those of the changes that are about limits. */
export async function reloadLimits(
  { store, limits }: ReloadLimitsDeps,
  changes: readonly { readonly kind: string; readonly entityId: string }[],
): Promise<void> {
  const ids = new Set(
    changes.flatMap(({ kind, entityId }) =>
      kind === "limit" && isId("lim", entityId) ? [entityId] : [],
    ),
  );
  if (ids.size === 0) return;
  limits.apply([...ids], await store.limits.findMany([...ids]));
}

/** All there are now. Changes from before this is called on must come to `reloadLimits` afterwards. */
export async function loadLimits({ store, limits }: ReloadLimitsDeps): Promise<void> {
  let cursor: string | undefined;
  do {
    const page = await store.limits.list({ limit: MAX_PAGE_SIZE, cursor });
    limits.apply(
      page.rows.map(({ id }) => id),
      page.rows,
    );
    cursor = page.nextCursor ?? undefined;
  } while (cursor !== undefined);
}
