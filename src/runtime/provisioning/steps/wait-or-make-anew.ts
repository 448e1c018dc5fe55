import { enterProvisionState } from "../../../core/provisioning/provision.ts";
import { noted } from "../../../core/resumable/resumable.ts";
import type { ProvisionRecord } from "../../../store/provision-repository.ts";
import { next, type StepResult, trouble } from "../../rotation/step.ts";
import { MAX_UNKNOWN_MS } from "../../rotation/steps/made-anew.ts";

/**
 * A key that was just made is not known to all of a provider's machines; one that is not known after a while is gone.
 * Another driver may have taken it for a leftover: then another one is made.
 */
export function waitOrMakeAnew(
  provision: ProvisionRecord,
  problem: string,
  nowMs: number,
): StepResult<ProvisionRecord> {
  if (nowMs - provision.stateSinceMs < MAX_UNKNOWN_MS) return trouble(problem);
  const record = noted(provision, "the new key is not there any more: another is made", nowMs);
  return next(enterProvisionState({ ...record, secret: null }, "key", nowMs));
}
