import { strongerOwnership } from "../../../core/keys/ownership.ts";
import { enterProvisionState } from "../../../core/provisioning/provision.ts";
import { noted } from "../../../core/resumable/resumable.ts";
import type { ProvisionRecord } from "../../../store/provision-repository.ts";
import { openDesk } from "../../rotation/account-desk.ts";
import { probeSecret } from "../../rotation/probe-secret.ts";
import { finalTrouble, next, type Step, trouble } from "../../rotation/step.ts";
import { waitOrMakeAnew } from "./wait-or-make-anew.ts";

/** Calls with the new key, and looks whether the answer is of the new project. */
export const testMadeKey: Step<ProvisionRecord> = async (deps, provision) => {
  const { secret, keyId, environmentId, projectId } = provision;
  if (secret?.sealed == null) return finalTrouble("there is no key");
  const { version } = secret;
  const clear = await deps.vault.open(secret.sealed, { environmentId, secretId: keyId, version });
  const desk = await openDesk(deps, provision.accountId);
  const answer = await probeSecret(deps.ask, desk, clear);
  const nowMs = deps.nowMs();
  if (answer.kind === "trouble") return trouble(answer.problem, answer.retryAfterMs);
  if (answer.kind === "refused") {
    return waitOrMakeAnew(provision, "the provider refuses the new key (401)", nowMs);
  }
  if (answer.kind === "unclear") {
    const text = `${answer.reason}: whether the key works has to be seen in use`;
    return next(enterProvisionState(noted(provision, text, nowMs), "add", nowMs));
  }
  if (answer.project !== undefined && answer.project !== projectId) {
    return finalTrouble(
      `the new key calls as project ${answer.project}, and was made in ${projectId}`,
    );
  }
  const said = desk.provider.ownershipOf?.({ organizationHeader: answer.organization });
  const ownership =
    said === undefined ? secret.ownership : strongerOwnership(secret.ownership, said);
  const record = {
    ...noted(provision, "a call with the key was answered", nowMs),
    isVerified: true,
    secret: { ...secret, ownership },
  };
  return next(enterProvisionState(record, "add", nowMs));
};
