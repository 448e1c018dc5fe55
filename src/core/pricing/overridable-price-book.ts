import type { PriceBook } from "./price-book.ts";
import type { PriceOverride } from "./price-override.ts";

/** A price book that takes a team's own prices before the listed ones. */
export interface OverridablePriceBook extends PriceBook {
  /**
   * From now on these hold and no others. `sequence`: where the change log stood when they were read; a call with an
   * earlier one comes too late and changes nothing.
   */
  replaceOverrides(overrides: readonly PriceOverride[], sequence: number): void;
}
