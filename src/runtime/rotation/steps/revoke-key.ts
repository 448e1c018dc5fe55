import { firstLateLook } from "../../../core/resumable/late-look.ts";
import { noted } from "../../../core/resumable/resumable.ts";
import {
  awaitsRevocation,
  nextOldCheckMs,
  type OldSecretAnswer,
  withoutOldSecret,
} from "../../../core/rotation/old-secret.ts";
import { enterState, type OldSecretFate } from "../../../core/rotation/rotation.ts";
import type {
  AdministrationAnswer,
  KeyAddress,
  KeyAdministration,
} from "../../../providers/key-administration.ts";
import type { RotationRecord } from "../../../store/rotation-records.ts";
import { type AccountDesk, findAdministration, openDesk } from "../account-desk.ts";
import { projectOf } from "../look-late.ts";
import { openOld, tryOldSecret } from "../old-secret.ts";
import { deleteNamed, deleteRemoteKey, findBySecret } from "../remote-keys.ts";
import { next, type Step, type StepDeps, trouble, troubleOf } from "../step.ts";

/** A provider may be making a key yet that it was asked for by a process that has died. */
const MADE_WITHIN_MS = 60_000;
const MAYBE_BEING_MADE =
  "the provider was asked for a key perhaps, and may be making it yet: it is looked for once more";

/** A key that was deleted is taken for a moment longer. */
const MAX_LOOKS = 6;

/**
 * Deletes the old key at its provider, and what a process may have made under this rotation's name before it died. Without
 * an admin key a person has to delete it: then it is said whether they have.
 */
export const revokeKey: Step = async (deps, rotation) => {
  const desk = await openDesk(deps, rotation.accountId);
  const found = await findAdministration(deps, desk);
  let record = rotation;
  let isDeleted = false;
  if (found.kind === "ready") {
    const { administration } = found;
    const old = await findOld(deps, rotation, { desk, administration });
    if (old.kind === "trouble") return trouble(old.problem, old.retryAfterMs);
    const remote = old.kind === "done" ? old.value : null;
    if (remote === null) {
      const text = "the provider does not list the old key: delete it there";
      record = noted(record, text, deps.nowMs());
    } else {
      const kept = rotation.next?.remote ?? null;
      const failed = await deleteRemoteKey(administration, remote, kept?.serviceAccountId ?? null);
      if (failed !== undefined) return troubleOf(failed, "the old key could not be deleted");
      const { projectId } = remote;
      const name = rotation.remoteName;
      const leftover = await deleteNamed(administration, { projectId, name, kept });
      if (leftover !== undefined) return troubleOf(leftover, "a leftover could not be deleted");
      isDeleted = true;
    }
  }
  const answer = await tryOldSecret(deps, desk, rotation);
  if (isDeleted && answer === "valid" && rotation.attempts < MAX_LOOKS) {
    return trouble("the old key is deleted, and the provider still takes it");
  }
  const nowMs = deps.nowMs();
  const oldFate = fateOf(answer, isDeleted);
  const ended = noted(record, describeEnd(isDeleted, oldFate), nowMs);
  const done = {
    ...enterState({ ...ended, ...lookingOn(rotation, nowMs) }, "done", nowMs),
    oldFate,
  };
  // A stolen one is kept to see when it ends; any other for nobody to find.
  return next(
    awaitsRevocation(done)
      ? {
          ...done,
          oldCheckAtMs: nextOldCheckMs(nowMs, nowMs),
          oldRefusedAtMs: answer === "refused_perhaps" ? nowMs : null,
        }
      : withoutOldSecret(done, oldFate),
  );
};

/** Calls off what was begun: the key that was made for it is deleted. One that a person brought is theirs. */
export const deleteNew: Step = async (deps, rotation) => {
  const nowMs = deps.nowMs();
  const fresh = rotation.next === null ? null : { ...rotation.next, sealed: null };
  const end = (record: RotationRecord) =>
    next(enterState({ ...record, next: fresh, ...lookingOn(rotation, nowMs) }, "cancelled", nowMs));
  const projectId = projectOf(rotation);
  // Where no project is known, nothing was made in one.
  if (rotation.way === "assisted" || projectId === undefined) return end(rotation);
  const found = await findAdministration(deps, await openDesk(deps, rotation.accountId));
  if (found.kind === "absent") return trouble(found.problem);
  const { administration } = found;
  const remote = rotation.next?.remote ?? null;
  if (remote !== null) {
    const keptAccountId = rotation.old.remote?.serviceAccountId ?? null;
    const failed = await deleteRemoteKey(administration, remote, keptAccountId);
    if (failed !== undefined) return troubleOf(failed, "the new key could not be deleted");
  }
  const name = rotation.remoteName;
  const leftover = await deleteNamed(administration, { projectId, name, kept: null });
  if (leftover !== undefined) return troubleOf(leftover, "a leftover could not be deleted");
  const lookAtMs = rotation.stateSinceMs + MADE_WITHIN_MS;
  if (rotation.next === null && nowMs < lookAtMs)
    return trouble(MAYBE_BEING_MADE, lookAtMs - nowMs);
  return end(noted(rotation, "what was made for it is deleted at the provider", nowMs));
};

/** A provider may make a key yet that it was asked for before the end: who would have taken it is dead. */
function lookingOn(rotation: RotationRecord, nowMs: number): Pick<RotationRecord, "lateLook"> {
  const isAsked = rotation.way === "automatic" && projectOf(rotation) !== undefined;
  return { lateLook: isAsked ? firstLateLook(nowMs) : null };
}

async function findOld(
  deps: StepDeps,
  rotation: RotationRecord,
  desk: { readonly desk: AccountDesk; readonly administration: KeyAdministration },
): Promise<AdministrationAnswer<KeyAddress>> {
  const { remote } = rotation.old;
  if (remote !== null) return { kind: "done", value: remote };
  const secret = await openOld(deps, rotation);
  if (secret === undefined) return { kind: "missing" };
  const { providerProjectId } = desk.desk.account;
  return await findBySecret(desk.administration, secret, providerProjectId);
}

/** A deletion is seen from two sides: there, and by a refusal, whatever that says. */
function fateOf(answer: OldSecretAnswer, isDeleted: boolean): OldSecretFate {
  if (answer === "refused_perhaps") return isDeleted ? "refused" : "unknown";
  return answer === "unknown" && isDeleted ? "deleted" : answer;
}

function describeEnd(isDeleted: boolean, fate: OldSecretFate): string {
  if (fate === "refused") return "the provider refuses the old secret";
  if (isDeleted) return "the old key is deleted at the provider";
  return fate === "valid"
    ? "the old secret is still valid: delete it at the provider"
    : "whether the old secret is still valid is not known: delete it at the provider";
}
