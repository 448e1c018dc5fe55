import { HEARTBEAT_INTERVAL_MS } from "../core/processes/heartbeat.ts";
import type { NewProcess } from "../store/records.ts";
import type { ProcessRepository } from "../store/store.ts";
import type { Log } from "../telemetry/log.ts";
import { withinDeadline } from "./within-deadline.ts";

export interface HeartbeatDeps {
  readonly processes: Pick<ProcessRepository, "register" | "beat" | "end">;
  readonly self: NewProcess;
  readonly log: Log;
  /**
   * Called when others took this process for dead and ended it (its machine stood still, or was cut off for long): what
   * it held in the store is not its own any more. It is registered again afterwards.
   */
  readonly onEnded?: (() => Promise<void>) | undefined;
  readonly intervalMs?: number;
}

export interface Heartbeat {
  /**
   * No further one. `isEnded`: the process leaves nothing behind, and says so; else whoever recovers its journal ends it.
   */
  stop(outcome: { readonly isEnded: boolean }): Promise<void>;
}

/** A store that keeps silent is asked again, on another connection. */
const BEAT_DEADLINE_MS = 5_000;

/** Registers this process and says from then on that it lives. Rejects when it can't be registered. */
export async function startHeartbeat(deps: HeartbeatDeps): Promise<Heartbeat> {
  const { processes, self, log, intervalMs = HEARTBEAT_INTERVAL_MS } = deps;
  await processes.register(self);
  let isStopped = false;
  let isFailing = false;
  let timer: NodeJS.Timeout | undefined;
  let running = Promise.resolve();

  const beat = async (): Promise<void> => {
    try {
      if (!(await withinDeadline(BEAT_DEADLINE_MS, processes.beat(self.id)))) {
        log.warn({ processId: self.id }, "this process was taken for dead; it goes on");
        if (deps.onEnded !== undefined) await withinDeadline(BEAT_DEADLINE_MS, deps.onEnded());
        await withinDeadline(BEAT_DEADLINE_MS, processes.register(self));
      }
      isFailing = false;
    } catch (err) {
      // Once for each time: the change log, which is read more often, tells when the store is there again.
      if (!isFailing) log.warn({ err }, "the heartbeat does not reach the store");
      isFailing = true;
    }
    if (!isStopped) schedule();
  };
  const schedule = (): void => {
    timer = setTimeout(() => {
      running = beat();
    }, intervalMs);
  };
  schedule();
  return {
    stop: async ({ isEnded }) => {
      isStopped = true;
      clearTimeout(timer);
      await running;
      if (isEnded) await processes.end(self.id);
    },
  };
}
