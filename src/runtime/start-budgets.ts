import { performance } from "node:perf_hooks";
import type { ProcessId } from "../core/ids/ids.ts";
import type { HoldBook } from "../ledger/holds.ts";
import { LeaseBook } from "../ledger/leases/lease-book.ts";
import { createLeasedSink } from "../ledger/leases/leased-sink.ts";
import type { EventSink, LedgerStatus } from "../ledger/ledger.ts";
import type { Store } from "../store/store.ts";
import type { Log } from "../telemetry/log.ts";
import { type Closers, UNHURRIED_MS } from "./closers.ts";
import type { Gone } from "./process-keeper.ts";
import type { Tasks } from "./tasks.ts";

export interface BudgetsDeps {
  readonly store: Pick<Store, "budgets" | "usage">;
  readonly processId: ProcessId;
  readonly tasks: Tasks;
  readonly log: Log;
}

export interface Budgets {
  readonly holds: HoldBook;
  /** Where the ledger puts its events. */
  readonly sink: EventSink;
  /** Call it before the ledger's own closer is added: leases go back after the last flush. */
  closeAfter(closers: Closers, ledgerStatus: () => LedgerStatus | undefined): void;
}

/** What this process decides of hard budgets. `Reloads` fills it, before the first call and on every change. */
export function startBudgets({ store, processId, tasks, log }: BudgetsDeps): Budgets {
  const book = new LeaseBook({
    holder: processId,
    source: store.budgets,
    tasks,
    log,
    nowMs: Date.now,
    monotonicMs: () => performance.now(),
  });
  return {
    holds: book,
    sink: createLeasedSink(store.usage, book, processId),
    closeAfter: (closers, ledgerStatus) => {
      const giveBack = async (): Promise<void> => {
        const status = ledgerStatus();
        const isFlushed = status?.openIntents === 0 && status.pendingEvents === 0;
        // What calls that are still in the journal cost must not be lent to others: recovery sees to these leases.
        if (isFlushed) await book.close();
      };
      closers.add("budget leases", giveBack, UNHURRIED_MS);
    },
  };
}

/** What a process held that is gone: free again, unless nobody can know what it has spent. */
export async function settleLeases(
  { budgets }: Pick<Store, "budgets">,
  { processId, how }: Gone,
): Promise<void> {
  if (how === "lost") await budgets.markLost(processId, Date.now());
  else await budgets.closeLeases(processId);
}
