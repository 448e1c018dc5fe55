import type { EventId } from "../../core/ids/ids.ts";
import type { Picos } from "../../core/money/picos.ts";
import type { UsageEvent } from "../../core/usage/usage-event.ts";
import type { Hold, HeldWindows } from "../holds.ts";
import type { WindowAccount } from "./window-account.ts";

/** Of which accounts calls are held that are alike. */
export interface Held {
  readonly keeper: HoldKeeper;
  readonly windows: HeldWindows;
  readonly accounts: readonly WindowAccount[];
}

/** Whose holds they are: what becomes of each. */
interface HoldKeeper {
  settleHold(hold: LeasedHold, event: UsageEvent): void;
  releaseHold(hold: LeasedHold): void;
}

/**
 * What is held for one call; when it has ended, of whom that was, until what it used is in the store. There are as many
 * as calls end between two flushes, and each collection copies them: what many have in common stands in `held`.
 */
export class LeasedHold implements Hold {
  readonly held: Held;
  readonly picos: Picos;
  /** How many recalls there had been. */
  readonly recalls: number;
  /** The accounts that count what was used; known when the call has ended. */
  counting: readonly WindowAccount[];
  /** The call's event, when it has ended. */
  eventId: EventId | undefined;
  /** It is in the store. */
  isFlushed: boolean;

  constructor(held: Held, picos: Picos, recalls: number) {
    this.held = held;
    this.picos = picos;
    this.recalls = recalls;
    this.counting = held.accounts;
    this.eventId = undefined;
    this.isFlushed = false;
  }

  get kind(): "held" {
    return "held";
  }

  settle(event: UsageEvent): void {
    this.held.keeper.settleHold(this, event);
  }

  release(): void {
    this.held.keeper.releaseHold(this);
  }
}
