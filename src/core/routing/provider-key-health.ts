import type { CircuitPhase } from "./circuit.ts";

/** Why something rests. `rate_limited` and `unavailable` were answered by the provider with or without a time in it. */
export type RestReason =
  | "rate_limited"
  | "unavailable"
  | "out_of_money"
  | "key_refused"
  | "model_refused";

/** What a rest is for: an account or a key, for every call or for those of one model. */
export interface RestScope {
  readonly owner: "account" | "key";
  readonly calls: "every" | "model";
  /** With `model`: which; null = the calls whose model Keyward does not read. */
  readonly model: string | null;
}

/** One provider key as one process sees it. */
export interface ProviderKeyHealth {
  readonly circuit: CircuitPhase;
  /** Milliseconds until the circuit lets a probe through; 0 unless it is open. */
  readonly circuitOpenForMs: number;
  /** Rests of the key and of its account, the longest first. */
  readonly rests: readonly {
    readonly reason: RestReason;
    readonly scope: RestScope;
    readonly forMs: number;
  }[];
}
