import { performance } from "node:perf_hooks";
import type { Config } from "../config/config-schema.ts";
import type { OverridablePriceBook } from "../core/pricing/overridable-price-book.ts";
import type { HoldBook } from "../ledger/holds.ts";
import type { SharedLimits } from "../ledger/limits/shared-limits.ts";
import { ClientTokenBook } from "../proxy/client-token-book.ts";
import { DEFAULT_SNAPSHOT_LIMITS, Snapshot } from "../proxy/snapshot.ts";
import type { Store } from "../store/store.ts";
import type { Log } from "../telemetry/log.ts";
import type { Vault } from "../vault/vault.ts";
import { withAnswerDeadline } from "./answer-deadline.ts";
import { type ChangePoller, startChangePoller } from "./change-poller.ts";
import type { Closers } from "./closers.ts";
import { Reloads } from "./reloads.ts";
import type { KeyLife } from "./rotation/start-key-life.ts";
import { createSnapshotSource } from "./snapshot-source.ts";
import type { Providers } from "./start-providers.ts";

export interface OpenSnapshotParts {
  readonly request: { readonly config: Pick<Config, "maxStalenessMs">; readonly log: Log };
  readonly store: Store;
  readonly vault: Vault;
  readonly providers: Providers;
  readonly priceBook: OverridablePriceBook;
  readonly keyLife: Pick<KeyLife, "sightings">;
}

/** What a process keeps in memory of the store, and what keeps it true. */
export interface OpenedSnapshot {
  readonly snapshot: Snapshot;
  readonly clientTokens: ClientTokenBook;
  readonly poller: ChangePoller;
}

/** Longer than any look-up by index takes, shorter than a caller's patience. */
const STORE_ANSWER_DEADLINE_MS = 5_000;
/** Four times the interval at which changes are looked for. */
const MAX_UNWATCHED_MS = 1_000;
const monotonicMs = (): number => performance.now();

export async function openSnapshot(
  parts: OpenSnapshotParts,
  { limits, holds }: { readonly limits: SharedLimits; readonly holds: HoldBook },
  closers: Closers,
): Promise<OpenedSnapshot> {
  const { store, vault, providers, priceBook, keyLife } = parts;
  const { registry, standIn } = providers;
  const clientTokens = new ClientTokenBook();
  const reloads = new Reloads({ store, vault, priceBook, limits, holds, clientTokens });
  const source = createSnapshotSource({
    store,
    vault,
    providers: registry,
    standIn,
    priceBook,
    reloads,
    sightings: keyLife.sightings,
  });
  // 0: what was known last counts for as long as the database is away.
  const maxStalenessMs = parts.request.config.maxStalenessMs || undefined;
  const bounds = {
    ...DEFAULT_SNAPSHOT_LIMITS,
    monotonicMs,
    maxStalenessMs,
    maxUnwatchedMs: MAX_UNWATCHED_MS,
  };
  const snapshot = new Snapshot(withAnswerDeadline(source, STORE_ANSWER_DEADLINE_MS), bounds);
  // Before anything is loaded: what changes meanwhile comes once more.
  await snapshot.start();
  await reloads.all();
  const poller = startChangePoller({ snapshot, store, log: parts.request.log });
  closers.add("change poller", () => poller.stop());
  return { snapshot, poller, clientTokens };
}
