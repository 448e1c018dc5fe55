import { setImmediate as giveWay } from "node:timers/promises";
import type { GatewayKeyFilter } from "../store/gateway-key-repository.ts";
import type { GatewayKeyRecord } from "../store/records.ts";
import type { AdminDeps } from "./admin-deps.ts";

/**
 * Keys of one transaction. Whoever revokes another key meanwhile waits for that one: with an audit entry for each key some
 * 100 to 200 ms.
 */
export const KEYS_PER_TRANSACTION = 200;

/** Of the keys, this many are given back. */
const MAX_SHOWN = 100;

export interface MatchingRevoked {
  readonly count: number;
  /** Whether no key that matches was left when it was looked last. */
  readonly isComplete: boolean;
  /** The newest of them, as they were. */
  readonly first: readonly GatewayKeyRecord[];
}

/**
 * Revokes what the filter finds, newest first, in transactions of a few keys each, so that what is done stays done and
 * others have their turn in between; until there is none, or it has taken `maxMs`. At least one transaction is made,
 * so that whoever asks again gets to the end.
 */
export async function revokeMatching(
  { store, clock }: Pick<AdminDeps, "store" | "clock">,
  filter: GatewayKeyFilter,
  maxMs: number,
): Promise<MatchingRevoked> {
  const startedMs = performance.now();
  const first: GatewayKeyRecord[] = [];
  let count = 0;
  let cursor: string | undefined;
  for (;;) {
    const page = { limit: KEYS_PER_TRANSACTION, cursor };
    const { rows, nextCursor } = await store.transaction(async ({ gatewayKeys }) => {
      const found = await gatewayKeys.list(page, { ...filter, isUnrevoked: true });
      const ids = found.rows.map(({ id }) => id);
      if (ids.length > 0) await gatewayKeys.revokeMany(ids, clock.nowMs());
      return found;
    });
    count += rows.length;
    first.push(...rows.slice(0, MAX_SHOWN - first.length));
    // From the top once more: what was made meanwhile matches as well.
    if (rows.length === 0 && cursor === undefined) return { count, isComplete: true, first };
    if (performance.now() - startedMs >= maxMs) return { count, isComplete: false, first };
    cursor = nextCursor ?? undefined;
    await giveWay();
  }
}
