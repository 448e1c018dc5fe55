import { enterProvisionState } from "../../../core/provisioning/provision.ts";
import { noted } from "../../../core/resumable/resumable.ts";
import type { ProvisionRecord } from "../../../store/provision-repository.ts";
import { deleteNamed } from "../../rotation/remote-keys.ts";
import { sealVersion } from "../../rotation/seal-version.ts";
import { finalTrouble, next, type Step, troubleOf } from "../../rotation/step.ts";
import { openProvisionDesk, unlessNew } from "../made-things.ts";

/** A new key's first. */
const VERSION = 1;

/**
 * Has the provider make a service account with its key. What an earlier try has made is deleted first: its secret was told
 * once, to a process that is gone.
 */
export const makeKey: Step<ProvisionRecord> = async (deps, provision) => {
  const { found } = await openProvisionDesk(deps, provision);
  if (found.kind === "absent") return finalTrouble(found.problem);
  const { administration } = found;
  const { projectId, remoteName: name } = provision;
  if (projectId === null) return finalTrouble("there is no project");
  const leftover = await deleteNamed(administration, { projectId, name, kept: null });
  if (leftover !== undefined) {
    const failed = unlessNew(leftover, provision, deps.nowMs());
    return troubleOf(failed, "what an earlier try has made could not be looked up");
  }
  const created = await administration.createServiceAccount(projectId, name);
  if (created.kind !== "done") {
    const failed = unlessNew(created, provision, deps.nowMs());
    return troubleOf(failed, "no service account could be made");
  }
  const { secret, ...remote } = created.value;
  const nowMs = deps.nowMs();
  const sealed = await sealVersion(deps, provision, { secret, version: VERSION, remote });
  const text = `the service account ${name} is made, with the key ${remote.keyId}`;
  const record = { ...noted(provision, text, nowMs), secret: sealed };
  return next(enterProvisionState(record, "identify", nowMs));
};
