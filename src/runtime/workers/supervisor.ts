import cluster, { type Worker } from "node:cluster";
import { once } from "node:events";
import { MAX_EARLY_DEATHS, RestartPace } from "../../core/processes/restart-pace.ts";
import type { Log } from "../../telemetry/log.ts";
import type { PortSharing } from "../bind-port.ts";
import { maxDrainMs } from "../drain.ts";
import { StartError } from "../start-error.ts";
import type { StartReport } from "../start-report.ts";
import { Gathering } from "./gathering.ts";
import type { FromWorker, ToWorker, WorkerOrder } from "./worker-messages.ts";

export interface SupervisorOptions {
  /** The program that each worker runs, and its arguments; it calls `runWorker`. */
  readonly program: string;
  readonly programArguments: readonly string[];
  /** At least 1. */
  readonly workers: number;
  readonly order: Pick<WorkerOrder, "config">;
  readonly sharing: PortSharing;
  readonly log: Log;
  /** A clock that never jumps. */
  readonly monotonicMs: () => number;
  /** How each worker is started again; tests have a quicker one. */
  readonly createPace?: () => RestartPace;
  /**
   * Called once, when the first worker serves and each of the others has served or died: with what the first one has
   * made, some of which is shown once or never.
   */
  readonly onServing: (report: StartReport) => void;
}

export interface Supervisor {
  /** Rejects with StartError when the workers cannot be kept alive, resolves after `stop`. */
  readonly ended: Promise<void>;
  /** Has every worker finish its calls. */
  stop(): Promise<void>;
  /** Ends every worker on the spot. */
  kill(): void;
}

/** What a stop takes beside the calls in flight: flushing, closing. Longer than that it is not waited for. */
const CLOSING_MS = 60_000;
/** How long a worker is waited for that is asked something. */
const ANSWER_TIMEOUT_MS = 2_000;
const MAX_LIVE_MESSAGES = 16;

/** Starts the workers: the first one alone, since it makes and migrates what all of them use. */
export function supervise(options: SupervisorOptions): Supervisor {
  return new WorkerGroup(options);
}

interface Slot {
  readonly number: number;
  readonly pace: RestartPace;
  worker: Worker | undefined;
  startedAtMs: number;
  isServing: boolean;
  /** Somebody reads its live feed. */
  isReading: boolean;
  /** It was told to send its calls. */
  isForwarding: boolean;
  /** Messages with calls that it has not taken yet. */
  liveMessages: number;
  /** Has served or died once. */
  isSettled: boolean;
  /** Why the last start failed, in the worker's own words. */
  failure: StartError | undefined;
  timer: NodeJS.Timeout | undefined;
}

class WorkerGroup implements Supervisor {
  readonly ended: Promise<void>;
  readonly #options: SupervisorOptions;
  readonly #slots: readonly Slot[];
  readonly #end = Promise.withResolvers<void>();
  #report: { readonly value: StartReport } | undefined;
  readonly #gatherings = new Map<number, Gathering>();
  #gathered = 0;
  #isAnnounced = false;
  #isStopping = false;

  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.ended = this.#end.promise;
    this.#slots = Array.from({ length: options.workers }, (_, index) => ({
      number: index + 1,
      pace: options.createPace?.() ?? new RestartPace(),
      worker: undefined,
      startedAtMs: 0,
      isServing: false,
      isReading: false,
      isForwarding: false,
      liveMessages: 0,
      isSettled: false,
      failure: undefined,
      timer: undefined,
    }));
    // Workers accept by themselves where they share a handle: a connection that the supervisor has handed to a worker
    // which dies at that moment would hang for ever.
    cluster.schedulingPolicy = cluster.SCHED_NONE;
    cluster.setupPrimary({
      exec: options.program,
      args: [...options.programArguments],
      serialization: "advanced",
    });
    const [first] = this.#slots;
    if (first !== undefined) this.#start(first);
  }

  async stop(): Promise<void> {
    await this.#stopWorkers();
    this.#end.resolve();
  }

  async #stopWorkers(): Promise<void> {
    this.#isStopping = true;
    // Secrets that the first worker has made would be lost.
    this.#announce();
    for (const { timer } of this.#slots) clearTimeout(timer);
    const deadlineMs = maxDrainMs(this.#options.order.config.shutdownGraceMs) + CLOSING_MS;
    const deadline = setTimeout(() => this.kill(), deadlineMs);
    await Promise.all(
      this.#slots.map(async ({ worker }) => {
        if (worker === undefined) return;
        tell(worker, { type: "stop" });
        if (!worker.isDead()) await once(worker, "exit");
      }),
    );
    clearTimeout(deadline);
  }

  kill(): void {
    for (const { worker } of this.#slots) worker?.process.kill("SIGKILL");
  }

  #start(slot: Slot): void {
    const { order, sharing, monotonicMs } = this.#options;
    const port = { sharing, isJoined: this.#slots.some(({ isServing }) => isServing) };
    const worker = cluster.fork();
    slot.worker = worker;
    slot.startedAtMs = monotonicMs();
    Object.assign(slot, { isServing: false, isForwarding: false, liveMessages: 0 });
    slot.failure = undefined;
    worker.on("message", (message: FromWorker) => this.#hear(slot, message));
    worker.on("error", (err) =>
      this.#options.log.error(
        { err, worker: slot.number },
        "a worker cannot be started or reached",
      ),
    );
    worker.on("exit", (code, signal) => this.#onExit(slot, { code, signal }));
    const isFirst = this.#report === undefined;
    tell(worker, { type: "begin", order: { ...order, number: slot.number, port, isFirst } });
  }

  #hear(slot: Slot, message: FromWorker): void {
    if (message.type === "failed") {
      slot.failure = new StartError(message.message, message.remedy);
    } else if (message.type === "ask") {
      this.#gather(slot, message);
    } else if (message.type === "answer") {
      this.#gatherings.get(message.id)?.answered(slot.number, message.answer);
    } else if (message.type === "reading") {
      slot.isReading = message.isReading;
      this.#forwardFeeds();
    } else if (message.type === "live") {
      this.#passOn(slot, message);
    } else {
      this.#onServing(slot, message.report);
    }
  }

  #onServing(slot: Slot, report: StartReport): void {
    const { log } = this.#options;
    log.info({ worker: slot.number, pid: slot.worker?.process.pid }, "a worker serves");
    slot.isServing = true;
    if (this.#report === undefined) {
      this.#report = { value: report };
      for (const other of this.#slots) if (other !== slot) this.#start(other);
    }
    this.#forwardFeeds();
    this.#settle(slot);
  }

  /** Has every worker send its calls for as long as another one has a reader. */
  #forwardFeeds(): void {
    for (const slot of this.#slots) {
      const isWanted = this.#slots.some((other) => other !== slot && other.isReading);
      if (slot.worker === undefined || !slot.isServing || isWanted === slot.isForwarding) continue;
      slot.isForwarding = isWanted;
      tell(slot.worker, { type: "forward", isWanted });
    }
  }

  #passOn(from: Slot, message: Extract<FromWorker, { type: "live" }>): void {
    for (const slot of this.#slots) {
      const { worker } = slot;
      if (slot === from || !slot.isReading || worker === undefined) continue;
      // One that hangs must not fill the supervisor's memory.
      if (slot.liveMessages >= MAX_LIVE_MESSAGES) continue;
      slot.liveMessages += 1;
      tell(worker, message, () => {
        if (slot.worker === worker) slot.liveMessages -= 1;
      });
    }
  }

  /** Asks every worker in the name of one. */
  #gather(asker: Slot, { id: askedAs, question }: Extract<FromWorker, { type: "ask" }>): void {
    this.#gathered += 1;
    const id = this.#gathered;
    const gathering = new Gathering({
      workers: this.#slots.map(({ number }) => number),
      timeoutMs: ANSWER_TIMEOUT_MS,
      onComplete: (answers) => {
        this.#gatherings.delete(id);
        if (asker.worker !== undefined) {
          tell(asker.worker, { type: "answers", id: askedAs, answers });
        }
      },
    });
    this.#gatherings.set(id, gathering);
    for (const { number, worker, isServing } of this.#slots) {
      if (worker === undefined || !isServing) gathering.answered(number, undefined);
      else tell(worker, { type: "question", id, question });
    }
  }

  #onExit(slot: Slot, how: { readonly code: number | null; readonly signal: string | null }): void {
    const { log, monotonicMs } = this.#options;
    slot.worker = undefined;
    slot.isServing = false;
    slot.isReading = false;
    this.#forwardFeeds();
    for (const gathering of this.#gatherings.values()) gathering.answered(slot.number, undefined);
    if (this.#isStopping) return;
    if (this.#report === undefined) {
      this.#end.reject(slot.failure ?? endedWhileStarting(how));
      return;
    }
    const lifeMs = monotonicMs() - slot.startedAtMs;
    const delayMs = slot.pace.died(lifeMs);
    const fields = { worker: slot.number, ...how, reason: slot.failure?.message, delayMs };
    log.error(fields, "a worker has ended; it is started again");
    this.#settle(slot);
    const isHopeless = slot.pace.earlyDeaths >= MAX_EARLY_DEATHS;
    if (isHopeless && this.#slots.every(({ isServing }) => !isServing)) {
      void this.#giveUp(slot, how);
      return;
    }
    slot.timer = setTimeout(() => this.#start(slot), delayMs);
  }

  async #giveUp(slot: Slot, how: Parameters<typeof describeExit>[0]): Promise<void> {
    await this.#stopWorkers();
    this.#end.reject(
      slot.failure ??
        new StartError(
          `No worker stays alive: worker ${slot.number} ended ${slot.pace.earlyDeaths} times shortly after its start, the last time with ${describeExit(how)}.`,
          "The log above says what they died of.",
        ),
    );
  }

  #settle(slot: Slot): void {
    slot.isSettled = true;
    if (this.#slots.every(({ isSettled }) => isSettled)) this.#announce();
  }

  #announce(): void {
    if (this.#isAnnounced || this.#report === undefined) return;
    this.#isAnnounced = true;
    this.#options.onServing(this.#report.value);
  }
}

function tell(worker: Worker, message: ToWorker, onSent: () => void = () => undefined): void {
  // One that has died meanwhile is heard of by its exit.
  if (worker.isConnected()) worker.send(message, onSent);
}

function endedWhileStarting(how: Parameters<typeof describeExit>[0]): StartError {
  return new StartError(
    `The first worker process ended with ${describeExit(how)} while it started.`,
    "What it has said above tells why; `keyward start --processes 1` starts without workers.",
  );
}

function describeExit(how: { readonly code: number | null; readonly signal: string | null }) {
  return how.signal === null ? `exit code ${how.code}` : `signal ${how.signal}`;
}
