import { strongerOwnership } from "../../../core/keys/ownership.ts";
import { noted } from "../../../core/resumable/resumable.ts";
import { enterState } from "../../../core/rotation/rotation.ts";
import type { RotationRecord } from "../../../store/rotation-records.ts";
import { type AccountDesk, findAdministration, openDesk } from "../account-desk.ts";
import { probeSecret } from "../probe-secret.ts";
import { finalTrouble, next, type Step, type StepDeps, trouble } from "../step.ts";
import { judgeNext, openNext } from "./identify-key.ts";
import { isTooEarly, madeAnew } from "./made-anew.ts";

/** Calls with the new secret before anything relies on it. */
export const testKey: Step = async (deps, rotation) => {
  const { next: fresh } = rotation;
  if (fresh === null) return finalTrouble("there is no new secret");
  const desk = await openDesk(deps, rotation.accountId);
  const answer = await probeSecret(deps.ask, desk, await openNext(deps, rotation));
  const nowMs = deps.nowMs();
  if (answer.kind === "trouble") return trouble(answer.problem, answer.retryAfterMs);
  if (answer.kind === "refused") {
    const problem = "the provider refuses the new secret (401)";
    if (isTooEarly(rotation, nowMs)) return trouble(problem);
    return (await isGone(deps, rotation, desk)) ? madeAnew(rotation, nowMs) : finalTrouble(problem);
  }
  if (answer.kind === "unclear") {
    const text = `${answer.reason}: whether the new secret works has to be seen in use`;
    return next(
      enterState({ ...noted(rotation, text, nowMs), isVerified: false }, "active", nowMs),
    );
  }
  const expected = fresh.remote?.projectId;
  if (expected !== undefined && answer.project !== undefined && answer.project !== expected) {
    const problem = `the new secret is of project ${answer.project}, and the old one's is ${expected}`;
    return finalTrouble(problem);
  }
  const said = desk.provider.ownershipOf?.({ organizationHeader: answer.organization });
  const ownership = said === undefined ? fresh.ownership : strongerOwnership(fresh.ownership, said);
  const { account } = desk;
  const { refusal } = await judgeNext(deps, rotation, { account, ownership });
  if (refusal !== undefined) return finalTrouble(refusal.message);
  const record = { ...rotation, isVerified: true, next: { ...fresh, ownership } };
  const text = "a call with the new secret was answered";
  return next(enterState(noted(record, text, nowMs), "active", nowMs));
};

/** Whether the provider lists the key that it was asked to make no more. */
async function isGone(
  deps: StepDeps,
  { way, next: fresh }: RotationRecord,
  desk: AccountDesk,
): Promise<boolean> {
  if (way !== "automatic" || fresh?.remote == null) return false;
  const { keyId, projectId } = fresh.remote;
  const found = await findAdministration(deps, desk);
  if (found.kind === "absent") return false;
  const keys = await found.administration.listKeys(projectId);
  return keys.kind === "done" && keys.value.every((key) => key.keyId !== keyId);
}
