import { enterProvisionState } from "../../../core/provisioning/provision.ts";
import { noted } from "../../../core/resumable/resumable.ts";
import type { ProvisionRecord } from "../../../store/provision-repository.ts";
import { deleteNamed } from "../../rotation/remote-keys.ts";
import { next, type Step, trouble, troubleOf } from "../../rotation/step.ts";
import { archiveMadeProjects, listMadeProjects, openProvisionDesk } from "../made-things.ts";

/** Calls off what was begun: the service accounts of its name are deleted, their keys with them, and the projects archived. */
export const undoProvision: Step<ProvisionRecord> = async (deps, provision) => {
  const { found } = await openProvisionDesk(deps, provision);
  if (found.kind === "absent") return trouble(found.problem);
  const { administration } = found;
  const projects = await listMadeProjects(administration, provision);
  if (projects.kind !== "done") return troubleOf(projects, "what was made could not be looked up");
  const name = provision.remoteName;
  for (const { id: projectId } of projects.value) {
    const failed = await deleteNamed(administration, { projectId, name, kept: null });
    if (failed !== undefined) return troubleOf(failed, "the service account could not be deleted");
  }
  const failed = await archiveMadeProjects(administration, provision, null);
  if (failed !== undefined) return troubleOf(failed, "the project could not be archived");
  const nowMs = deps.nowMs();
  const text =
    "what was made for it is gone at the provider: the key is deleted, the project archived";
  const { secret } = provision;
  const record = {
    ...(projects.value.length === 0 ? provision : noted(provision, text, nowMs)),
    secret: secret && { ...secret, sealed: null },
  };
  return next(enterProvisionState(record, "cancelled", nowMs));
};
