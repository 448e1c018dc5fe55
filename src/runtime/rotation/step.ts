/**
 * The steps of a rotation, each in a file of its own. A step asks the provider what it needs to and says what comes next;
 * it changes nothing in the store by itself. It may have been begun before, by a process that died in it, so each looks
 * at what is there, or does only what can be done twice.
 */
import type { Trouble } from "../../core/rotation/rotation.ts";
import type { AdministrationAnswer } from "../../providers/key-administration.ts";
import type { RotationRecord } from "../../store/rotation-records.ts";
import type { Repositories, Store } from "../../store/store.ts";
import type { Vault } from "../../vault/vault.ts";
import type { AccountDeskDeps } from "./account-desk.ts";

export interface StepDeps extends AccountDeskDeps {
  readonly store: Store;
  readonly vault: Pick<Vault, "seal" | "open" | "fingerprint">;
  readonly nowMs: () => number;
}

/** What else becomes true in the moment in which the record is saved: false, and nothing does. */
type Commit = (repositories: Repositories) => Promise<boolean>;

export type StepResult =
  | { readonly kind: "next"; readonly record: RotationRecord; readonly commit?: Commit }
  | { readonly kind: "trouble"; readonly trouble: Trouble };

export type Step = (deps: StepDeps, rotation: RotationRecord) => Promise<StepResult>;

export function next(record: RotationRecord, commit?: Commit): StepResult {
  return { kind: "next", record, ...(commit === undefined ? {} : { commit }) };
}

export function trouble(problem: string, retryAfterMs?: number): StepResult {
  return { kind: "trouble", trouble: { problem, isFinal: false, retryAfterMs } };
}

export function finalTrouble(problem: string): StepResult {
  return { kind: "trouble", trouble: { problem, isFinal: true } };
}

/** What an administration's answer that is not the wanted one means for a step. */
export function troubleOf(
  answer: Exclude<AdministrationAnswer<unknown>, { readonly kind: "done" }>,
  what: string,
): StepResult {
  if (answer.kind === "missing") return finalTrouble(`${what}: the provider does not know it`);
  if (answer.kind === "refused") return finalTrouble(`${what}: ${answer.problem}`);
  return trouble(`${what}: ${answer.problem}`, answer.retryAfterMs);
}
