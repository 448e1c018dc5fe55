import type { StoreWatch } from "../admin/store-watch.ts";
import type { Snapshot } from "../proxy/snapshot.ts";
import type { Log } from "../telemetry/log.ts";

/** As whoever asks the store most often, it knows best whether the store answers. */
export interface ChangePoller extends StoreWatch {
  stop(): Promise<void>;
}

const POLL_INTERVAL_MS = 250;

/** Keeps the snapshot true: a change made by any process reaches this one within the interval and one query. */
export function startChangePoller(deps: {
  readonly snapshot: Snapshot;
  readonly log: Log;
}): ChangePoller {
  let isAway = false;
  const listeners = new Set<() => void>();
  const askers: ((isAway: boolean) => void)[] = [];
  let isStopped = false;
  let timer: NodeJS.Timeout | undefined;
  let running = Promise.resolve();

  const poll = async (): Promise<void> => {
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
    if (!isStopped) schedule();
  };
  const schedule = (): void => {
    timer = setTimeout(() => {
      running = poll();
    }, POLL_INTERVAL_MS);
  };
  schedule();
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
      await running;
      for (const tell of askers.splice(0)) tell(isAway);
    },
  };
}
