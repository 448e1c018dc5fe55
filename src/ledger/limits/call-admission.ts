import type { Admission, RateStates } from "../limits.ts";
import type { LocalUse } from "./local-use.ts";
import type { RateMeter, TakenPermits } from "./rate-meter.ts";
import type { SlotMeter } from "./slot-meter.ts";

/** What a call has taken of one limit. The meters are kept: the limit may lose one of them while the call lasts. */
export interface Taken {
  readonly use: LocalUse;
  readonly requests: { readonly meter: RateMeter; readonly permits: TakenPermits } | undefined;
  readonly tokens: { readonly meter: RateMeter; readonly permits: TakenPermits } | undefined;
  readonly slots: SlotMeter | undefined;
}

interface AdmissionDeps {
  readonly monotonicMs: () => number;
  /** Something was given back. */
  readonly changed: (use: LocalUse, nowMs: number) => void;
}

interface Held {
  readonly taken: Taken;
  spentTokens: number;
}

export class CallAdmission implements Admission {
  readonly isAdmitted = true;
  readonly rates: RateStates;
  readonly #deps: AdmissionDeps;
  #held: Held[];
  readonly #joined: Admission[] = [];

  constructor(deps: AdmissionDeps, taken: readonly Taken[], rates: RateStates) {
    this.#deps = deps;
    this.rates = rates;
    this.#held = taken.map((one) => ({ taken: one, spentTokens: 0 }));
  }

  spend(tokens: number): void {
    for (const held of this.#held) held.spentTokens += tokens;
    for (const admission of this.#joined) admission.spend(tokens);
  }

  leaveAccount(): void {
    for (const held of this.#held) if (isAccount(held)) this.#settle(held);
    this.#held = this.#held.filter((held) => !isAccount(held));
    for (const admission of this.#joined) admission.leaveAccount();
  }

  join(other: Admission): void {
    this.#joined.push(other);
  }

  end(): void {
    for (const held of this.#held) this.#settle(held);
    this.#held = [];
    for (const admission of this.#joined.splice(0)) admission.end();
  }

  cancel(): void {
    const nowMs = this.#deps.monotonicMs();
    for (const { taken } of this.#held) {
      const { use, requests, tokens, slots } = taken;
      requests?.meter.undo(requests.permits, nowMs);
      tokens?.meter.undo(tokens.permits, nowMs);
      slots?.release();
      use.openCalls -= 1;
      this.#deps.changed(use, nowMs);
    }
    this.#held = [];
    for (const admission of this.#joined.splice(0)) admission.cancel();
  }

  #settle({ taken, spentTokens }: Held): void {
    const { use, tokens, slots } = taken;
    tokens?.meter.correct(tokens.permits, spentTokens);
    slots?.release();
    use.openCalls -= 1;
    this.#deps.changed(use, this.#deps.monotonicMs());
  }
}

function isAccount({ taken }: Held): boolean {
  return taken.use.limit.scope.kind === "providerAccount";
}
