import { hostname } from "node:os";
import { join } from "node:path";
import type { IdFactory, ProcessId } from "../core/ids/ids.ts";
import { listJournals } from "../ledger/file/journal-folder.ts";
import { recoverJournals } from "../ledger/file/recover-journals.ts";
import type { RecoveryReport } from "../ledger/ledger.ts";
import type { NewProcess } from "../store/records.ts";
import type { Store } from "../store/store.ts";
import type { Log } from "../telemetry/log.ts";
import type { Closers } from "./closers.ts";
import { readDataDirectoryId } from "./data-directory-id.ts";
import { JOURNAL_FOLDER } from "./data-directory.ts";
import { startHeartbeat } from "./heartbeat.ts";
import { endProcess, type Gone, startProcessKeeper } from "./process-keeper.ts";
import { StartError } from "./start-error.ts";

export interface Membership {
  readonly store: Pick<Store, "processes" | "usage">;
  readonly self: NewProcess;
  readonly dataDir: string;
  readonly log: Log;
  /** See HeartbeatDeps. */
  readonly onEnded?: (() => Promise<void>) | undefined;
  /** See ProcessKeeperDeps. */
  readonly onGone?: ((gone: Gone) => Promise<void>) | undefined;
}

/** This process among the others; made anew for every start. */
export async function introduceProcess(
  dataDir: string,
  ids: Pick<IdFactory, "create">,
  version: string,
): Promise<NewProcess> {
  return {
    id: ids.create("prc"),
    dataDirectoryId: await readDataDirectoryId(dataDir, ids),
    hostName: hostname(),
    pid: process.pid,
    version,
  };
}

/** Before this process serves: what those before it on the data directory have left. Throws StartError. */
export async function recoverAtStart(membership: Membership): Promise<RecoveryReport> {
  const { store, dataDir, log, onGone } = membership;
  const directory = join(dataDir, JOURNAL_FOLDER);
  const end = (processId: ProcessId): Promise<void> =>
    endProcess({ processes: store.processes, onGone }, { processId, how: "recovered" });
  try {
    return await recoverJournals({ directory, sink: store.usage, log, onRecovered: end });
  } catch (err) {
    throw new StartError(
      `The journal in ${directory} cannot be brought into the database: ${(err as Error).message}.`,
      "Mend what the message names, then start again; no call in the journal is lost.",
      { cause: err },
    );
  }
}

/** Says that this process lives, until its journal is closed: call it before the ledger is opened. */
export async function announceProcess(membership: Membership, closers: Closers): Promise<void> {
  const { store, self, dataDir, log, onEnded } = membership;
  const heartbeat = await startHeartbeat({ processes: store.processes, self, log, onEnded });
  closers.add("heartbeat", async () => {
    const journals = await listJournals(join(dataDir, JOURNAL_FOLDER));
    await heartbeat.stop({ isEnded: !journals.includes(self.id) });
  });
}

/** From here on this process takes up what others leave behind. */
export function keepProcesses(membership: Membership, closers: Closers): void {
  const { store, self, dataDir, log, onGone } = membership;
  const keeper = startProcessKeeper({
    processes: store.processes,
    sink: store.usage,
    journalDirectory: join(dataDir, JOURNAL_FOLDER),
    self,
    log,
    monotonicMs: () => performance.now(),
    onGone,
  });
  closers.add("process keeper", () => keeper.stop());
}
