import type { Admission, RateStates } from "../limits.ts";
import type { LocalUse } from "./local-use.ts";
import type { TakenPermits } from "./rate-meter.ts";

/**
 * What a call has taken of one limit. The meters of its permits are kept: the limit may lose one of them while the call lasts.
 * Its slot is given back to whatever meter there is by then, which has counted all calls that are in flight.
 */
export interface Taken {
  readonly use: LocalUse;
  readonly requests: TakenPermits | undefined;
  readonly tokens: TakenPermits | undefined;
}

export interface AdmissionDeps {
  readonly monotonicMs: () => number;
  /** Something was given back. */
  readonly changed: (use: LocalUse, nowMs: number) => void;
}

export class CallAdmission implements Admission {
  readonly isAdmitted = true;
  readonly rates: RateStates;
  readonly #deps: AdmissionDeps;
  #taken: readonly Taken[];
  #spentTokens = 0;
  #joined: Admission[] | undefined;

  constructor(deps: AdmissionDeps, taken: readonly Taken[], rates: RateStates) {
    this.#deps = deps;
    this.rates = rates;
    this.#taken = taken;
  }

  spend(tokens: number): void {
    this.#spentTokens += tokens;
    for (const admission of this.#joined ?? NONE) admission.spend(tokens);
  }

  leaveAccount(): void {
    this.#settle(this.#taken.filter(isAccount));
    this.#taken = this.#taken.filter((taken) => !isAccount(taken));
    for (const admission of this.#joined ?? NONE) admission.leaveAccount();
  }

  join(other: Admission): void {
    this.#joined ??= [];
    this.#joined.push(other);
  }

  end(): void {
    this.#settle(this.#taken);
    for (const admission of this.#leave()) admission.end();
  }

  cancel(): void {
    const nowMs = this.#deps.monotonicMs();
    for (const { use, requests, tokens } of this.#taken) {
      requests?.meter.undo(requests, nowMs);
      tokens?.meter.undo(tokens, nowMs);
      use.slots?.release();
      use.openCalls -= 1;
      this.#deps.changed(use, nowMs);
    }
    for (const admission of this.#leave()) admission.cancel();
  }

  #settle(taken: readonly Taken[]): void {
    if (taken.length === 0) return;
    const nowMs = this.#deps.monotonicMs();
    for (const { use, tokens } of taken) {
      tokens?.meter.correct(tokens, this.#spentTokens);
      use.slots?.release();
      use.openCalls -= 1;
      this.#deps.changed(use, nowMs);
    }
  }

  #leave(): readonly Admission[] {
    const joined = this.#joined ?? NONE;
    this.#taken = NONE;
    this.#joined = undefined;
    return joined;
  }
}

const NONE: readonly never[] = [];

function isAccount({ use }: Taken): boolean {
  return use.limit.scope.kind === "providerAccount";
}
