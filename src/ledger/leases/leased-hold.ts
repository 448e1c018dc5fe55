import type { Picos } from "../../core/money/picos.ts";
import type { UsageEvent } from "../../core/usage/usage-event.ts";
import type { Hold, HeldWindows } from "../holds.ts";
import type { WindowAccount } from "./window-account.ts";

/** What is held for one call, of which accounts. */
export interface Held {
  readonly windows: HeldWindows;
  readonly accounts: readonly WindowAccount[];
}

/** Whose holds they are: what becomes of each. */
interface HoldKeeper {
  settleHold(hold: LeasedHold, event: UsageEvent): void;
  releaseHold(hold: LeasedHold): void;
}

export class LeasedHold implements Hold, Held {
  readonly kind = "held";
  readonly windows: HeldWindows;
  readonly accounts: readonly WindowAccount[];
  readonly picos: Picos;
  /** How many recalls there had been. */
  readonly recalls: number;
  readonly #keeper: HoldKeeper;

  constructor(keeper: HoldKeeper, { windows, accounts }: Held, picos: Picos, recalls: number) {
    this.#keeper = keeper;
    this.windows = windows;
    this.accounts = accounts;
    this.picos = picos;
    this.recalls = recalls;
  }

  settle(event: UsageEvent): void {
    this.#keeper.settleHold(this, event);
  }

  release(): void {
    this.#keeper.releaseHold(this);
  }
}
