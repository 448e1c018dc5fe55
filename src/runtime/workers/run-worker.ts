import cluster from "node:cluster";
import { once } from "node:events";
import type { Log } from "../../telemetry/log.ts";
import { StartError } from "../start-error.ts";
import type { StartReport } from "../start-report.ts";
import { createPeers, type Peers } from "./peers.ts";
import type { FromWorker, SupervisorLink, ToWorker, WorkerOrder } from "./worker-messages.ts";

/** Whether this process was started by a supervisor. */
export function isWorker(): boolean {
  return cluster.isWorker;
}

export interface WorkerDeps {
  readonly createLog: (order: WorkerOrder) => Promise<Log>;
  readonly start: (
    order: WorkerOrder,
    parts: { readonly log: Log; readonly peers: Peers },
  ) => Promise<StartReport & { readonly stop: () => Promise<void> }>;
}

/**
 * The whole life of a worker: it begins when the supervisor tells it to, and drains when it is told to, when it gets
 * SIGTERM, or when the supervisor is gone. SIGINT is the supervisor's: a terminal sends it to both.
 */
export async function runWorker(deps: WorkerDeps): Promise<void> {
  // Else Node ends the process on the spot when the supervisor dies, and with it the calls in flight.
  if (cluster.worker !== undefined) cluster.worker.exitedAfterDisconnect = true;
  const stopped = listenForTheEnd();
  const order = await nextOrder(stopped.signal);
  if (order === undefined) return;
  const log = await deps.createLog(order);
  stopped.onOrphaned(() =>
    log.error({}, "the supervisor is gone; this process finishes its calls and ends"),
  );
  try {
    const started = await deps.start(order, { log, peers: createPeers(order.number, LINK) });
    const { stop, ...report } = started;
    tell({ type: "serving", report });
    if (!stopped.signal.aborted) await once(stopped.signal, "abort");
    await stop();
  } catch (err) {
    if (!(err instanceof StartError)) throw err;
    tell({ type: "failed", message: err.message, remedy: err.remedy });
    process.exitCode = 1;
  }
  if (process.connected) process.disconnect();
}

function listenForTheEnd(): { signal: AbortSignal; onOrphaned(listener: () => void): void } {
  const controller = new AbortController();
  let orphaned: (() => void) | undefined;
  process.on("SIGINT", () => undefined);
  process.on("SIGTERM", () => controller.abort());
  process.on("message", (message: ToWorker) => {
    if (message.type === "stop") controller.abort();
  });
  process.on("disconnect", () => {
    if (!controller.signal.aborted) orphaned?.();
    controller.abort();
  });
  return {
    signal: controller.signal,
    onOrphaned: (listener) => {
      orphaned = listener;
    },
  };
}

/** Undefined when the end comes first. */
function nextOrder(stopped: AbortSignal): Promise<WorkerOrder | undefined> {
  return new Promise((resolve) => {
    if (stopped.aborted) resolve(undefined);
    stopped.addEventListener("abort", () => resolve(undefined), { once: true });
    process.on("message", (message: ToWorker) => {
      if (message.type === "begin") resolve(message.order);
    });
  });
}

const LINK: SupervisorLink = {
  send: (message, onSent) => tell(message, onSent),
  onMessage: (listener) => {
    process.on("message", listener);
  },
};

function tell(message: FromWorker, onSent: () => void = () => undefined): void {
  // Gone or going: whoever it was for has died.
  if (process.connected) process.send?.(message, onSent);
  else onSent();
}
