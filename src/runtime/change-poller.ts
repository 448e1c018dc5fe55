import type { StoreWatch } from "../admin/store-watch.ts";
import type { Snapshot } from "../proxy/snapshot.ts";
import type { Store } from "../store/store.ts";
import type { Log } from "../telemetry/log.ts";

/** As whoever asks the store most often, it knows best whether the store answers. */
export interface ChangePoller extends StoreWatch {
  stop(): Promise<void>;
}

const POLL_INTERVAL_MS = 250;

/** Keeps the snapshot true: a change made by any process reaches this one within the interval and one query. */
export function startChangePoller(deps: {
  readonly snapshot: Pick<Snapshot, "refresh">;
  /** Tells of changes, so that they need not wait for the interval; it suffices alone when nothing is told. */
  readonly store: Pick<Store, "watchChanges">;
  readonly log: Log;
  readonly intervalMs?: number;
}): ChangePoller {
  const { intervalMs = POLL_INTERVAL_MS } = deps;
  let isAway = false;
  const listeners = new Set<() => void>();
  const askers: ((isAway: boolean) => void)[] = [];
  let isStopped = false;
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> | undefined;
  let isReading = false;
  /** A change was told while the log was being read: it may stand behind what was read. */
  let isToldAnew = false;

  const poll = async (): Promise<void> => {
    isReading = true;
    try {
      await deps.snapshot.refresh();
      if (isAway) deps.log.info({}, "the change log can be read again");
      isAway = false;
    } catch (err) {
      if (!isAway) {
        isAway = true;
        deps.log.error({ err }, "the change log cannot be read: changes do not arrive");
        for (const listener of listeners) listener();
        listeners.clear();
      }
    }
    for (const tell of askers.splice(0)) tell(isAway);
    isReading = false;
    if (!isStopped) schedule();
  };
  const begin = (): void => {
    clearTimeout(timer);
    isToldAnew = false;
    running = poll();
  };
  const schedule = (): void => {
    timer = setTimeout(begin, isToldAnew && !isAway ? 0 : intervalMs);
  };
  schedule();
  const watch = deps.store.watchChanges(() => {
    if (isStopped) return;
    isToldAnew = true;
    if (!isReading) begin();
  });
  return {
    isAway: () => isAway,
    confirm: () =>
      isAway || isStopped
        ? Promise.resolve(isAway)
        : new Promise((resolve) => {
            askers.push(resolve);
          }),
    onAway: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    stop: async () => {
      isStopped = true;
      clearTimeout(timer);
      await Promise.all([running, watch.close()]);
      for (const tell of askers.splice(0)) tell(isAway);
    },
  };
}
