/**
 * The ledger's contract: every provider call is journalled before it is sent (intent) and when it has ended
 * (settlement), and reaches the store exactly once, whatever is killed in between. Rules of money live in core,
 * SQL lives in the store; here is only the way from a call to a row.
 */
import type { Lending } from "../core/budgets/lease.ts";
import type { CallIntent, RefusalCount, UsageEvent } from "../core/usage/usage-event.ts";

export interface Ledger {
  /**
   * Resolves when the intent is in the journal and survives a `kill -9` (with durability `disk`: a power loss).
   * Rejects with KeywardError `journal_unavailable` when it could not be written: the call must then not be sent.
   */
  open(intent: CallIntent): Promise<void>;
  /**
   * Writes an open intent once more, with what has become known of its call: what recovery makes of it then. Resolves
   * when that is in the journal; rejects as above, and the intent stays open as it was.
   */
  amend(intent: CallIntent): Promise<void>;
  /**
   * Resolves when the settlement is in the journal. Each opened intent is settled exactly once; a second settlement
   * of an id is an error of the caller and is refused. Rejects with `journal_unavailable` as above; the event is then
   * kept in memory and goes to the store with the next flush all the same.
   */
  settle(event: UsageEvent): Promise<void>;
  /** Counts a call that Keyward itself refused; flushed with the events. */
  countRefusal(
    refusal: Pick<RefusalCount, "code" | "gatewayKeyId" | "customer" | "budgetWindowId">,
  ): void;
  /** Moves everything settled so far into the store; resolves when it is there. */
  flush(): Promise<void>;
  /** Flushes, and removes what is not needed any more. Open intents stay in the journal for recovery. */
  close(): Promise<void>;
  status(): LedgerStatus;
}

export interface LedgerStatus {
  readonly openIntents: number;
  /** Settled but not yet in the store. */
  readonly pendingEvents: number;
  readonly journalBytes: number;
  /** When the last flush succeeded; null until one did. */
  readonly lastFlushAtMs: number | null;
  /** Message of the last flush, null when it succeeded. */
  readonly lastFlushError: string | null;
  /** Flushes that failed since the process started. */
  readonly flushFailures: number;
}

/** Where the ledger puts its events: the store's usage repository. */
export interface EventSink {
  insertBatch(batch: {
    readonly events: readonly UsageEvent[];
    readonly refusals: readonly RefusalCount[];
    readonly lending?: Lending | undefined;
  }): Promise<{ readonly inserted: number }>;
}

/** What recovery found in the journals of processes that are gone. */
export interface RecoveryReport {
  readonly processes: number;
  /** Settled events that were still to be flushed (some may have been in the store already). */
  readonly settledEvents: number;
  /** Intents without settlement, now events with status `unknown`. */
  readonly unknownEvents: number;
  /** Lines that could not be read: a torn last line is normal after a crash, others are not. */
  readonly tornLines: number;
  readonly corruptLines: number;
}
