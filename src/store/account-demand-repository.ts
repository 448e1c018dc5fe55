import type { ProviderAccountId } from "../core/ids/ids.ts";
/** The store's contract for how much is asked of provider accounts: what a higher limit is asked for with. */
import type { AccountDemand, AccountPeaks } from "../core/limits/account-demand.ts";

/** At most so many minutes are added at once. */
export const MAX_ADDED_DEMANDS = 100;

export interface PeaksRequest {
  /** Absent: of all accounts. */
  readonly accountId?: ProviderAccountId | undefined;
  /** By the start of what is kept: of the hour, or of the minute. */
  readonly fromMs: number;
  /** At most so many accounts and models, those with the highest peaks of requests first. */
  readonly limit: number;
}

/** What all processes were asked for. Minutes are kept for two hours, the peaks of hours for thirty days. */
export interface AccountDemandRepository {
  /**
   * One transaction that adds to what was counted of the minutes, by whichever process, and raises the peaks of their
   * hours. Each account, model and minute once, at most MAX_ADDED_DEMANDS.
   */
  add(demands: readonly AccountDemand[]): Promise<void>;
  /** What was asked since then, from the peaks of full hours. */
  listPeaks(request: PeaksRequest): Promise<readonly AccountPeaks[]>;
  /** What was asked since then, from the minutes: of the last two hours. Waits and refusals are not in it: 0. */
  listRecentPeaks(request: PeaksRequest): Promise<readonly AccountPeaks[]>;
  /** Removes what is kept no longer, by the database's clock; of each kind at most `limit`. Returns how many. */
  removeOld(limit: number): Promise<number>;
}
