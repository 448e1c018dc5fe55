import type { Snapshot } from "../proxy/snapshot.ts";
import type { Log } from "../telemetry/log.ts";

export interface ChangePoller {
  /** Since when the change log could not be read; null while it can. */
  staleSinceMs(): number | null;
  stop(): Promise<void>;
}

const POLL_INTERVAL_MS = 250;

/** Keeps the snapshot true: a change made by any process reaches this one within the interval and one query. */
export function startChangePoller(deps: {
  readonly snapshot: Snapshot;
  readonly log: Log;
  readonly nowMs: () => number;
}): ChangePoller {
  let staleSinceMs: number | null = null;
  let isStopped = false;
  let timer: NodeJS.Timeout | undefined;
  let running = Promise.resolve();

  const poll = async (): Promise<void> => {
    try {
      await deps.snapshot.refresh();
      if (staleSinceMs !== null) deps.log.info({}, "the change log can be read again");
      staleSinceMs = null;
    } catch (err) {
      if (staleSinceMs === null) {
        staleSinceMs = deps.nowMs();
        deps.log.error({ err }, "the change log cannot be read: changes do not arrive");
      }
    }
    if (!isStopped) schedule();
  };
  const schedule = (): void => {
    timer = setTimeout(() => {
      running = poll();
    }, POLL_INTERVAL_MS);
  };
  schedule();
  return {
    staleSinceMs: () => staleSinceMs,
    stop: async () => {
      isStopped = true;
      clearTimeout(timer);
      await running;
    },
  };
}
