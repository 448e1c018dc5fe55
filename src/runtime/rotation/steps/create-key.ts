import { noted } from "../../../core/resumable/resumable.ts";
import { enterState } from "../../../core/rotation/rotation.ts";
import type {
  AdministrationAnswer,
  CreatedKey,
  KeyAdministration,
} from "../../../providers/key-administration.ts";
import type { RemoteKey, RotationRecord } from "../../../store/rotation-records.ts";
import type { Repositories } from "../../../store/store.ts";
import { type AccountDesk, findAdministration, openDesk } from "../account-desk.ts";
import { deleteNamed, findBySecret } from "../remote-keys.ts";
import { sealVersion } from "../seal-version.ts";
import { finalTrouble, next, type Step, type StepDeps, troubleOf } from "../step.ts";

/**
 * Has the provider make a key. What an earlier try has made is deleted first: its secret was told once, to a process that
 * is gone. The new key belongs to the old one's service account; where the provider does not make it there, or the old
 * key is a person's, to a service account of its own.
 */
export const createKey: Step = async (deps, rotation) => {
  const desk = await openDesk(deps, rotation.accountId);
  const found = await findAdministration(deps, desk);
  if (found.kind === "absent") return finalTrouble(found.problem);
  const { administration } = found;
  const old = await findOld(deps, rotation, { desk, administration });
  if (old.kind === "missing") return finalTrouble(OLD_NOT_FOUND);
  if (old.kind !== "done") return troubleOf(old, "the old key could not be looked up");
  if (rotation.old.remote === null) {
    // Kept before anything is made: whoever calls the rotation off must know where to look for what was.
    const known = { ...rotation, old: { ...rotation.old, remote: old.value } };
    return next(known, rememberOld(rotation, old.value));
  }
  const { projectId, serviceAccountId } = old.value;
  const name = rotation.remoteName;
  const leftover = await deleteNamed(administration, { projectId, name, kept: null });
  if (leftover !== undefined)
    return troubleOf(leftover, "what an earlier try has made could not be cleared away");
  const created = await create(administration, { projectId, serviceAccountId, name });
  if (created.kind !== "done") return troubleOf(created, "the provider made no key");
  const { secret, ...remote } = created.value;
  const version = rotation.old.version + 1;
  const nowMs = deps.nowMs();
  const record: RotationRecord = {
    ...rotation,
    next: await sealVersion(deps, rotation, { secret, version, remote }),
  };
  const text = `the provider made the key ${remote.keyId}`;
  return next(enterState(noted(record, text, nowMs), "pending", nowMs));
};

function rememberOld(rotation: RotationRecord, remote: RemoteKey) {
  return async ({ rotation: kept }: Repositories): Promise<boolean> => {
    await kept.keyFacts.setRemote(rotation.keyId, remote);
    return true;
  };
}

const OLD_NOT_FOUND =
  "the old key is not among the keys that the admin key sees, or several look like it: bring the new secret yourself";

async function findOld(
  deps: StepDeps,
  rotation: RotationRecord,
  {
    desk,
    administration,
  }: {
    readonly desk: AccountDesk;
    readonly administration: KeyAdministration;
  },
): Promise<AdministrationAnswer<RemoteKey>> {
  const known =
    rotation.old.remote ?? (await deps.store.rotation.keyFacts.of(rotation.keyId)).remote;
  if (known !== null) return { kind: "done", value: known };
  const key = await deps.store.providerKeys.findById(rotation.keyId);
  if (key === undefined) return { kind: "missing" };
  const { environmentId, version } = key;
  const secret = await deps.vault.open(key.sealed, { environmentId, secretId: key.id, version });
  const listed = await findBySecret(administration, secret, desk.account.providerProjectId);
  if (listed.kind !== "done") return listed;
  const { keyId, projectId, serviceAccountId } = listed.value;
  return { kind: "done", value: { keyId, projectId, serviceAccountId } };
}

async function create(
  administration: KeyAdministration,
  {
    projectId,
    serviceAccountId,
    name,
  }: {
    readonly projectId: string;
    readonly serviceAccountId: string | null;
    readonly name: string;
  },
): Promise<AdministrationAnswer<CreatedKey>> {
  if (serviceAccountId !== null) {
    const created = await administration.createKey({ projectId, serviceAccountId }, name);
    if (created.kind === "done" || created.kind === "trouble") return created;
  }
  return await administration.createServiceAccount(projectId, name);
}
