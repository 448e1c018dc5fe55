/** How a process comes by the right to spend of a budget's window, and what the ledger's rows use of it. */
import type { EventId, ProcessId } from "../ids/ids.ts";
import type { Picos } from "../money/picos.ts";
import type { UsageEvent } from "../usage/usage-event.ts";
import type { CountedWindow } from "./budget-rules.ts";
import type { WindowKey } from "./budget.ts";
import type { GrantRequest } from "./grant.ts";

/** Who holds a lease: a process, or work that goes on at a provider, by the id of the event that began it. */
export type LeaseHolder = ProcessId | EventId;

export interface LeaseAsk extends GrantRequest {
  readonly key: WindowKey;
}

export interface LeaseAnswer {
  readonly grantedPicos: Picos;
  /** As it stands after the grant. */
  readonly limitPicos: Picos;
  /** When an increase ends, and with it this limit; null: nothing ends it by itself. */
  readonly limitUntilMs: number | null;
  readonly spentPicos: Picos;
  readonly leasedPicos: Picos;
}

/** Where leases come from and go back to: the store's budget repository. */
export interface LeaseSource {
  /**
   * One transaction: hands out what is free of each window, see `grantOf`. Limits are read as they stand. A budget
   * that is archived, paused or gone is granted all that is asked for: it refuses nothing.
   */
  lease(request: {
    readonly holder: LeaseHolder;
    readonly atMs: number;
    readonly asks: readonly LeaseAsk[];
  }): Promise<readonly LeaseAnswer[]>;
  /** Gives back that much of each lease, at most what is left of it. */
  giveBack(
    holder: LeaseHolder,
    amounts: readonly { readonly windowId: string; readonly picos: Picos }[],
  ): Promise<void>;
  /** What the holder has, by the window's id. */
  leasesOf(holder: LeaseHolder): Promise<ReadonlyMap<string, Picos>>;
  /** Gives everything back that the holder has left. */
  closeLeases(holder: LeaseHolder): Promise<void>;
}

/** Whose leases the calls of a batch of events were held from. */
export interface Lending {
  readonly holder: LeaseHolder;
  /** The windows that the call was held against. Absent: every window that counts it. */
  readonly windowsOf?: (event: UsageEvent) => readonly Pick<CountedWindow, "id">[];
}
