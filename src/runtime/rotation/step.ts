/**
 * The steps of a rotation, or of a provision, each in a file of its own. A step asks the provider what it needs to and says
 * what comes next; it changes nothing in the store by itself. It may have been begun before, by a process that died in it,
 * so each looks at what is there, or does only what can be done twice.
 */
import type { Trouble } from "../../core/resumable/resumable.ts";
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
export type Commit = (repositories: Repositories) => Promise<boolean>;

export type StepResult<Work = RotationRecord> =
  | { readonly kind: "next"; readonly record: Work; readonly commit?: Commit }
  | { readonly kind: "trouble"; readonly trouble: Trouble };

export type Step<Work = RotationRecord> = (deps: StepDeps, work: Work) => Promise<StepResult<Work>>;

export function next<Work>(record: Work, commit?: Commit): StepResult<Work> {
  return { kind: "next", record, ...(commit === undefined ? {} : { commit }) };
}

export function trouble(problem: string, retryAfterMs?: number): StepResult<never> {
  return { kind: "trouble", trouble: { problem, isFinal: false, retryAfterMs } };
}

export function finalTrouble(problem: string): StepResult<never> {
  return { kind: "trouble", trouble: { problem, isFinal: true } };
}

/** What an administration's answer that is not the wanted one means for a step. */
export function troubleOf(
  answer: Exclude<AdministrationAnswer<unknown>, { readonly kind: "done" }>,
  what: string,
): StepResult<never> {
  if (answer.kind === "missing") return finalTrouble(`${what}: the provider does not know it`);
  if (answer.kind === "refused") return finalTrouble(`${what}: ${answer.problem}`);
  return trouble(`${what}: ${answer.problem}`, answer.retryAfterMs);
}
