import type { EventId } from "../../core/ids/ids.ts";
import { exactPicos, type LeanPicos } from "../../core/money/lean-picos.ts";
import type { Picos } from "../../core/money/picos.ts";
import type { UsageEvent } from "../../core/usage/usage-event.ts";
import type { Hold, HeldWindows } from "../holds.ts";
import type { WindowAccount } from "./window-account.ts";

/** Of which accounts a call is held. */
export interface Held {
  readonly windows: HeldWindows;
  readonly accounts: readonly WindowAccount[];
}

/** Whose holds they are: what becomes of each. */
interface HoldKeeper {
  settleHold(hold: LeasedHold, event: UsageEvent): void;
  releaseHold(hold: LeasedHold): void;
}

/** What is held for one call; when it has ended, of whom that was, until what it used is in the store. */
export class LeasedHold implements Hold {
  readonly kind = "held";
  readonly held: Held;
  readonly picos: Picos;
  readonly amount: LeanPicos;
  /** How many recalls there had been. */
  readonly recalls: number;
  /** The accounts that count what was used; known when the call has ended. */
  counting: readonly WindowAccount[];
  /** The call's event, when it has ended. */
  eventId: EventId | undefined;
  /** It is in the store. */
  isFlushed: boolean;
  readonly #keeper: HoldKeeper;

  constructor(keeper: HoldKeeper, held: Held, amount: LeanPicos, recalls: number) {
    this.#keeper = keeper;
    this.held = held;
    this.picos = exactPicos(amount);
    this.amount = amount;
    this.recalls = recalls;
    this.counting = held.accounts;
    this.eventId = undefined;
    this.isFlushed = false;
  }

  settle(event: UsageEvent): void {
    this.#keeper.settleHold(this, event);
  }

  release(): void {
    this.#keeper.releaseHold(this);
  }
}
