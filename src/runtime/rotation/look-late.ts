import type { KeyAddress } from "../../providers/key-administration.ts";
import type { RotationRecord } from "../../store/rotation-records.ts";
import { findAdministration, openDesk } from "./account-desk.ts";
import { cannotLook, deleteStrays, foundBy, looked, notNow, putOff } from "./late-finds.ts";
import { findNamed } from "./remote-keys.ts";
import {
  attempt,
  type Driven,
  driveGuarded,
  keep,
  type KindOfWork,
  type RunStepDeps,
} from "./run-step.ts";
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
  const atMs = rotation.lateLook?.atMs ?? null;
  if (atMs === null || atMs > deps.nowMs()) return { kind: "waits", untilMs: atMs };
  const driven = await driveGuarded(deps, ENDED_ROTATIONS, rotation, async () =>
    keep(deps, ENDED_ROTATIONS, rotation, await attempt(deps, ENDED_ROTATIONS, rotation, lookLate)),
  );
  const found = driven.kind === "moved" ? foundBy(rotation, driven.record) : [];
  if (found.length > 0) {
    const facts = { rotation: rotation.id, deleted: found };
    deps.log.warn(facts, "a key that the provider made after the end of a rotation is deleted");
  }
  return driven;
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
