import { enterProvisionState } from "../../../core/provisioning/provision.ts";
import { noted } from "../../../core/resumable/resumable.ts";
import type { AdministrationAnswer } from "../../../providers/key-administration.ts";
import type { ProvisionRecord } from "../../../store/provision-repository.ts";
import { finalTrouble, next, type Step, type StepResult, troubleOf } from "../../rotation/step.ts";
import { listMadeProjects, openProvisionDesk } from "../made-things.ts";

/** Has the provider make a project, unless one of its name is there: made by a process that died, or by another driver. */
export const makeProject: Step<ProvisionRecord> = async (deps, provision) => {
  const { desk, found } = await openProvisionDesk(deps, provision);
  if (found.kind === "absent") return finalTrouble(found.problem);
  const { administration } = found;
  const before = await listMadeProjects(administration, provision);
  if (before.kind !== "done") return refusedOr(before, desk.account.name);
  let project = before.value[0];
  if (project === undefined) {
    const created = await administration.createProject(provision.remoteName);
    if (created.kind !== "done") return refusedOr(created, desk.account.name);
    // Another driver may have made one in the same moment: both take the first of them.
    const after = await listMadeProjects(administration, provision);
    if (after.kind !== "done") return refusedOr(after, desk.account.name);
    project = after.value[0] ?? created.value;
  }
  const nowMs = deps.nowMs();
  const text = `the project ${provision.remoteName} is there (${project.id})`;
  const record = { ...noted(provision, text, nowMs), projectId: project.id };
  return next(enterProvisionState(record, "limits", nowMs));
};

/** What an admin key lacks is the likely reason here, and what a person can mend. */
function refusedOr(
  answer: Exclude<AdministrationAnswer<unknown>, { readonly kind: "done" }>,
  account: string,
): StepResult<never> {
  const what = "no project could be made";
  if (answer.kind !== "refused") return troubleOf(answer, what);
  const advice =
    answer.status === 401
      ? `the admin key is not taken any more: set another one with \`keyward provider-accounts set-admin-key ${account}\``
      : `the admin key may not do that: let an owner of the organization make one that may read and write projects, service accounts and API keys, and set it with \`keyward provider-accounts set-admin-key ${account}\``;
  return finalTrouble(`${what}: ${answer.problem}; ${advice}`);
}
