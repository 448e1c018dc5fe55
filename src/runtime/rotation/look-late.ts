import type { KeyAddress } from "../../providers/key-administration.ts";
import type { RotationRecord } from "../../store/rotation-records.ts";
import { findAdministration, openDesk } from "./account-desk.ts";
import { driveLateLook } from "./drive-late-look.ts";
import { cannotLook, deleteStrays, looked, notNow, putOff } from "./late-finds.ts";
import { findNamed } from "./remote-keys.ts";
import type { Driven, KindOfWork, RunStepDeps } from "./run-step.ts";
import { next, type Step, type StepDeps } from "./step.ts";

const ENDED_ROTATIONS: KindOfWork<RotationRecord> = {
  what: "rotation",
  afterTrouble: putOff,
  save: ({ rotation }, record) => rotation.rotations.save(record),
};

/**
 * Looks once more for a key that was made at the provider after the rotation had ended, and deletes it: whoever asked for
 * it is dead, and nobody was told its secret. The rotation stays as it ended.
 */
export async function lookLateOnce(
  deps: RunStepDeps,
  rotation: RotationRecord,
): Promise<Driven<RotationRecord>> {
  return await driveLateLook(deps, rotation, {
    kind: ENDED_ROTATIONS,
    look: lookLate,
    told: "a key that the provider made after the end of a rotation is deleted",
  });
}

/** Where its key is made, if one is; undefined while that is not known, and where a person brings the secret. */
export function projectOf({ next: fresh, old }: RotationRecord): string | undefined {
  return fresh?.remote?.projectId ?? old.remote?.projectId;
}

const lookLate: Step = async (deps, rotation) => {
  const projectId = projectOf(rotation);
  if (projectId === undefined) return next(looked(rotation, [], deps.nowMs()));
  const found = await findAdministration(deps, await openDesk(deps, rotation.accountId));
  if (found.kind === "absent") return cannotLook(rotation, found.problem);
  const { administration } = found;
  const kept = await keysInUse(deps, rotation, projectId);
  const name = { projectId, name: rotation.remoteName };
  const strays = await findNamed(administration, name, kept);
  // Of a project that is gone nothing is left to call with.
  if (strays.kind === "missing") return next(looked(rotation, [], deps.nowMs()));
  if (strays.kind !== "done") return notNow(rotation, strays);
  return await deleteStrays(administration, rotation, { strays: strays.value, nowMs: deps.nowMs });
};

/** What must not be deleted, whatever it is called: what a key of ours has now, or a rotation of this one is to give it. */
async function keysInUse(
  { store }: Pick<StepDeps, "store">,
  { state, keyId, next: fresh }: RotationRecord,
  projectId: string,
): Promise<readonly KeyAddress[]> {
  const { keyFacts, rotations } = store.rotation;
  const [inUse, open] = await Promise.all([
    keyFacts.listRemotes(projectId),
    rotations.findOpenOf(keyId),
  ]);
  const own = state === "done" ? fresh?.remote : null;
  return [...inUse, own, open?.old.remote, open?.next?.remote].filter((key) => key != null);
}
