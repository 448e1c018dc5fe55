import { ownershipOf, strongerOwnership } from "../../../core/keys/ownership.ts";
import { enterProvisionState } from "../../../core/provisioning/provision.ts";
import type { ProvisionRecord } from "../../../store/provision-repository.ts";
import { finalTrouble, next, type Step, troubleOf } from "../../rotation/step.ts";
import { openProvisionDesk, unlessNew } from "../made-things.ts";
import { waitOrMakeAnew } from "./wait-or-make-anew.ts";

/** Has the provider say whose the new key is. */
export const identifyMadeKey: Step<ProvisionRecord> = async (deps, provision) => {
  const { found } = await openProvisionDesk(deps, provision);
  if (found.kind === "absent") return finalTrouble(found.problem);
  const { secret } = provision;
  if (secret?.remote == null) return finalTrouble("there is no key");
  const { keyId, projectId } = secret.remote;
  const keys = await found.administration.listKeys(projectId);
  if (keys.kind !== "done") {
    const failed = unlessNew(keys, provision, deps.nowMs());
    return troubleOf(failed, "the new key could not be looked up");
  }
  const key = keys.value.find((one) => one.keyId === keyId);
  if (key === undefined) {
    return waitOrMakeAnew(provision, "the provider does not list the new key yet", deps.nowMs());
  }
  const told = ownershipOf({ adminOwnerType: key.owner });
  const ownership = strongerOwnership(secret.ownership, told);
  const record = { ...provision, secret: { ...secret, ownership } };
  return next(enterProvisionState(record, "test", deps.nowMs()));
};
