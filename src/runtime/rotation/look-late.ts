import { afterLateLook, afterLateTrouble } from "../../core/resumable/late-look.ts";
import { noted, type Trouble } from "../../core/resumable/resumable.ts";
import type { AdministrationAnswer, KeyAddress } from "../../providers/key-administration.ts";
import type { RotationRecord } from "../../store/rotation-records.ts";
import { findAdministration, openDesk } from "./account-desk.ts";
import { deleteThing, findNamed, isFailed } from "./remote-keys.ts";
import {
  attempt,
  type Driven,
  driveGuarded,
  keep,
  type KindOfWork,
  type RunStepDeps,
} from "./run-step.ts";
import { next, type Step, type StepDeps, type StepResult, trouble } from "./step.ts";

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
  const found = driven.kind === "moved" ? newIn(driven.record, rotation) : [];
  if (found.length > 0) {
    const facts = { rotation: rotation.id, deleted: found };
    deps.log.warn(facts, "a key that the provider made after the end of a rotation is deleted");
  }
  return driven;
}

function newIn(after: RotationRecord, before: RotationRecord): readonly string[] {
  return (after.lateLook?.deleted ?? []).slice(before.lateLook?.deleted.length ?? 0);
}

/** Where its key is made, if one is; undefined while that is not known, and where a person brings the secret. */
export function projectOf({ next: fresh, old }: RotationRecord): string | undefined {
  return fresh?.remote?.projectId ?? old.remote?.projectId;
}

const lookLate: Step = async (deps, rotation) => {
  const projectId = projectOf(rotation);
  if (projectId === undefined) return next(looked(rotation, [], deps.nowMs()));
  const found = await findAdministration(deps, await openDesk(deps, rotation.accountId));
  if (found.kind === "absent") return trouble(whatFailed(rotation, found.problem));
  const { administration } = found;
  const kept = await keysInUse(deps, rotation, projectId);
  const name = { projectId, name: rotation.remoteName };
  const strays = await findNamed(administration, name, kept);
  // Of a project that is gone nothing is left to call with.
  if (strays.kind === "missing") return next(looked(rotation, [], deps.nowMs()));
  if (strays.kind !== "done") return notNow(rotation, strays);
  const deleted: string[] = [];
  for (const thing of strays.value) {
    const answer = await deleteThing(administration, thing);
    if (!isFailed(answer)) deleted.push(thing.id);
    else if (deleted.length === 0) return notNow(rotation, answer);
    // What is deleted is written down first; the rest is looked for at once, and is in the way then.
    else return next(withDeleted(rotation, deleted, deps.nowMs()));
  }
  return next(looked(rotation, deleted, deps.nowMs()));
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

function looked(
  rotation: RotationRecord,
  deleted: readonly string[],
  nowMs: number,
): RotationRecord {
  const { lateLook, endedAtMs } = rotation;
  if (lateLook === null || endedAtMs === null) return rotation;
  return withDeleted(
    { ...rotation, lateLook: afterLateLook(lateLook, endedAtMs, nowMs) },
    deleted,
    nowMs,
  );
}

function withDeleted(
  rotation: RotationRecord,
  deleted: readonly string[],
  nowMs: number,
): RotationRecord {
  const { lateLook } = rotation;
  if (lateLook === null || deleted.length === 0) return rotation;
  const text = `the provider made a key after the end, which nobody has: it is deleted (${deleted.join(", ")})`;
  return noted(
    { ...rotation, lateLook: { ...lateLook, deleted: [...lateLook.deleted, ...deleted] } },
    text,
    nowMs,
  );
}

function putOff(rotation: RotationRecord, met: Trouble, nowMs: number): RotationRecord {
  const { lateLook, endedAtMs } = rotation;
  if (lateLook === null || endedAtMs === null) return rotation;
  const put = {
    ...rotation,
    lateLook: afterLateTrouble(lateLook, { endedAtMs, trouble: met }, nowMs),
  };
  if (put.lateLook.atMs !== null) return put;
  return noted(
    put,
    `nobody looks any more: look at the provider for ${rotation.remoteName}`,
    nowMs,
  );
}

function notNow(
  rotation: RotationRecord,
  answer: Exclude<AdministrationAnswer<unknown>, { readonly kind: "done" }>,
): StepResult<never> {
  const why = answer.kind === "missing" ? "the provider does not know it" : answer.problem;
  const retryAfterMs = answer.kind === "trouble" ? answer.retryAfterMs : undefined;
  return trouble(whatFailed(rotation, why), retryAfterMs);
}

function whatFailed({ remoteName }: RotationRecord, why: string): string {
  return `whether the provider made another key ${remoteName} after the end cannot be looked up: ${why}`;
}
