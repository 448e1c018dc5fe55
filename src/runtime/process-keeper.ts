/**
 * Looks after processes that are gone while this one runs. One on the same data directory is known to be gone when the
 * kernel gives its journal's lock back: the journal is brought into the store within seconds. One on another machine is
 * known by its silence alone; after LOST_AFTER_MS it counts as lost.
 */
import type { ProcessId } from "../core/ids/ids.ts";
import { AbsenceWatch } from "../core/processes/absence.ts";
import {
  HEARTBEAT_INTERVAL_MS,
  LOST_AFTER_MS,
  SILENT_AFTER_MS,
} from "../core/processes/heartbeat.ts";
import { listJournals } from "../ledger/file/journal-folder.ts";
import { recoverJournals } from "../ledger/file/recover-journals.ts";
import type { EventSink } from "../ledger/ledger.ts";
import type { NewProcess, ProcessRecord } from "../store/records.ts";
import type { ProcessRepository } from "../store/store.ts";
import type { Log } from "../telemetry/log.ts";

export interface ProcessKeeperDeps {
  readonly processes: Pick<ProcessRepository, "end" | "listSilent" | "removeStopped">;
  readonly sink: EventSink;
  /** Where the journals of this data directory lie. */
  readonly journalDirectory: string;
  readonly self: NewProcess;
  readonly log: Log;
  /** A clock that never jumps. */
  readonly monotonicMs: () => number;
  /** Gives back what the process held in the store, before it is marked as ended. May be called more than once. */
  readonly onGone?: ((gone: Gone) => Promise<void>) | undefined;
  readonly intervalMs?: number;
}

export interface Gone {
  readonly processId: ProcessId;
  /**
   * `recovered`: all its calls are in the store. `lost`: what it carried out since its last flush lies in a journal that
   * is out of reach and may yet come.
   */
  readonly how: "recovered" | "lost";
}

export interface ProcessKeeper {
  /** Looks now; the look that is under way counts. */
  look(): Promise<void>;
  stop(): Promise<void>;
}

/** Ended processes are shown, and their ids known, for so long. */
const STOPPED_KEPT_MS = 7 * 24 * 60 * 60_000;
const CLEANING_INTERVAL_MS = 60 * 60_000;
/** While the store does not take a journal, it is tried less and less often. */
const MAX_INTERVAL_MS = 60_000;

export function startProcessKeeper(deps: ProcessKeeperDeps): ProcessKeeper {
  const { intervalMs = HEARTBEAT_INTERVAL_MS, log } = deps;
  const round = createRound(deps);
  let waitMs = intervalMs;
  let isStopped = false;
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> | undefined;

  const run = async (): Promise<void> => {
    clearTimeout(timer);
    try {
      await round();
      waitMs = intervalMs;
    } catch (err) {
      if (waitMs === intervalMs)
        log.warn({ err }, "processes that are gone cannot be looked after; it is tried again");
      waitMs = Math.min(2 * waitMs, MAX_INTERVAL_MS);
    }
    running = undefined;
    if (!isStopped) schedule();
  };
  const look = (): Promise<void> => (running ??= run());
  const schedule = (): void => {
    timer = setTimeout(() => void look(), waitMs);
  };
  schedule();
  return {
    look,
    stop: async () => {
      isStopped = true;
      clearTimeout(timer);
      await running;
    },
  };
}

function createRound(deps: ProcessKeeperDeps): () => Promise<void> {
  const skipped = new Set([deps.self.id]);
  const absence = new AbsenceWatch({
    confirmMs: 3 * SILENT_AFTER_MS,
    maxGapMs: SILENT_AFTER_MS,
  });
  let cleanedAtMs = Number.NEGATIVE_INFINITY;
  return async () => {
    await recoverSiblings(deps, skipped);
    await endSilent(deps, absence);
    if (deps.monotonicMs() - cleanedAtMs < CLEANING_INTERVAL_MS) return;
    await deps.processes.removeStopped(STOPPED_KEPT_MS);
    cleanedAtMs = deps.monotonicMs();
  };
}

async function recoverSiblings(deps: ProcessKeeperDeps, skipped: Set<ProcessId>): Promise<void> {
  const { journalDirectory: directory, sink, log } = deps;
  const { processes, ...found } = await recoverJournals({
    directory,
    sink,
    log,
    skipped,
    onRecovered: async (processId) => await endProcess(deps, { processId, how: "recovered" }),
    onLeftAlone: (processId) => void skipped.add(processId),
  });
  if (processes > 0)
    log.info({ processes, ...found }, "recovered the calls of processes that died");
}

async function endSilent(deps: ProcessKeeperDeps, absence: AbsenceWatch): Promise<void> {
  const silent = await deps.processes.listSilent(SILENT_AFTER_MS);
  const absent = absence.look(
    silent.filter(({ id }) => id !== deps.self.id),
    deps.monotonicMs(),
  );
  if (absent.length === 0) return;
  const journals = new Set(await listJournals(deps.journalDirectory));
  for (const process of absent) {
    if (isClosedHere(process, deps.self) && !journals.has(process.id)) {
      // A journal is removed when nothing is left in it, and only then.
      await endProcess(deps, { processId: process.id, how: "recovered" });
    } else if (process.silentForMs >= LOST_AFTER_MS && !journals.has(process.id)) {
      deps.log.error(
        { processId: process.id, hostName: process.hostName, silentForMs: process.silentForMs },
        "a process is lost; its calls come to the ledger when its journal is started again",
      );
      await endProcess(deps, { processId: process.id, how: "lost" });
    }
  }
}

/** Also by the machine's name: a copy of a data directory elsewhere has its id and not its journals. */
function isClosedHere(process: ProcessRecord, self: NewProcess): boolean {
  return process.dataDirectoryId === self.dataDirectoryId && process.hostName === self.hostName;
}

/** What is to be done with a process that is gone, once what can be saved of it is in the store. */
export async function endProcess(
  deps: Pick<ProcessKeeperDeps, "onGone"> & { readonly processes: Pick<ProcessRepository, "end"> },
  gone: Gone,
): Promise<void> {
  await deps.onGone?.(gone);
  await deps.processes.end(gone.processId);
}
