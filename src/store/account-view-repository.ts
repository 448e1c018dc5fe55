/** The store's contract for what the processes know together of provider accounts' own limits. */
import type {
  AccountView,
  AccountViewKey,
  DecideViews,
  ViewMoment,
} from "../core/limits/account-view.ts";

/** At most so many views are changed at once: whoever waits for one of them waits for all. */
export const MAX_CHANGED_VIEWS = 100;

/** Where in the order of changes a reader has got to. */
export type ViewCursor = number;

export interface ChangedViews {
  readonly views: readonly AccountView[];
  readonly moment: ViewMoment;
  readonly cursor: ViewCursor;
}

/** A view that is not there yet is one of which nothing is known. */
export interface AccountViewRepository {
  /**
   * One transaction that reads the views, has `decide` say what is to become of them, and writes that. Changes of one
   * view take turns, whoever makes them; changes of different views need not. Each key once, at most MAX_CHANGED_VIEWS.
   */
  change(keys: readonly AccountViewKey[], decide: DecideViews): Promise<void>;
  /**
   * What was changed since the cursor, or within `freshMs` where there is none; at most `limit`, oldest change first.
   * None is missed; some come twice.
   */
  listChanged(request: {
    readonly cursor: ViewCursor | undefined;
    readonly freshMs: number;
    readonly limit: number;
  }): Promise<ChangedViews>;
  /** Removes views that nobody has changed for so long; at most `limit`. Returns how many. */
  removeOld(unchangedForMs: number, limit: number): Promise<number>;
}
