import { enterProvisionState } from "../../../core/provisioning/provision.ts";
import { firstLateLook } from "../../../core/resumable/late-look.ts";
import { noted } from "../../../core/resumable/resumable.ts";
import type { KeyAdministration } from "../../../providers/key-administration.ts";
import type { ProvisionRecord } from "../../../store/provision-repository.ts";
import { deleteNamed } from "../../rotation/remote-keys.ts";
import { next, type Step, type StepResult, trouble, troubleOf } from "../../rotation/step.ts";
import { findMadeProjects, openProvisionDesk, unlessNew } from "../made-things.ts";

/** A list that shows nothing is believed this long after the provision was called off: what was just made may be missing. */
const LISTED_WITHIN_MS = 15_000;

/** Calls off what was begun: the service accounts of its name are deleted, their keys with them, and the projects archived. */
export const undoProvision: Step<ProvisionRecord> = async (deps, provision) => {
  const { found } = await openProvisionDesk(deps, provision);
  if (found.kind === "absent") return trouble(found.problem);
  const { administration } = found;
  const made = await findMadeProjects(administration, provision, deps.nowMs());
  if (made.kind !== "done") return troubleOf(made, "what was made could not be looked up");
  // It was asked for perhaps, and its id never written down.
  const isNoneKnown = made.value.length === 0 && provision.projectId === null;
  const listedAtMs = provision.stateSinceMs + LISTED_WITHIN_MS;
  if (isNoneKnown && deps.nowMs() < listedAtMs) {
    const problem =
      "the provider lists no project of it: one that was just made may not be listed yet, and is looked for once more";
    return trouble(problem, listedAtMs - deps.nowMs());
  }
  for (const projectId of made.value) {
    const failed = await removeProject(administration, { provision, projectId }, deps.nowMs());
    if (failed !== undefined) return failed;
  }
  const nowMs = deps.nowMs();
  const text =
    "what was made for it is gone at the provider: the key is deleted, the project archived";
  const { secret } = provision;
  const record = {
    ...(isNoneKnown ? provision : noted(provision, text, nowMs)),
    secret: secret && { ...secret, sealed: null },
    lateLook: firstLateLook(nowMs),
  };
  return next(enterProvisionState(record, "cancelled", nowMs));
};

/** Its service accounts first: a key must not outlive a project that can't be archived. Undefined when it is gone. */
async function removeProject(
  administration: KeyAdministration,
  made: { readonly provision: ProvisionRecord; readonly projectId: string },
  nowMs: number,
): Promise<StepResult<never> | undefined> {
  const { provision, projectId } = made;
  const kept = await deleteNamed(administration, {
    projectId,
    name: provision.remoteName,
    kept: null,
  });
  const undeleted = kept && unlessNew(kept, provision, nowMs);
  if (undeleted !== undefined && undeleted.kind !== "missing") {
    return troubleOf(undeleted, "the service account could not be deleted");
  }
  const archived = await administration.archiveProject(projectId);
  if (archived.kind === "done") return undefined;
  const unarchived = unlessNew(archived, provision, nowMs);
  if (unarchived.kind === "missing") return undefined;
  return troubleOf(unarchived, "the project could not be archived");
}
