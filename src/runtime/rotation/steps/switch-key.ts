import { noted } from "../../../core/resumable/resumable.ts";
import { enterState, SWITCH_SPREAD_MS } from "../../../core/rotation/rotation.ts";
import type { ProviderKeyRecord } from "../../../store/records.ts";
import type { RotationRecord, SecretVersion } from "../../../store/rotation-records.ts";
import type { Repositories } from "../../../store/store.ts";
import { findAdministration, openDesk } from "../account-desk.ts";
import { finalTrouble, next, type Step, troubleOf } from "../step.ts";
import { judgeNext } from "./identify-key.ts";

/**
 * The new secret becomes the key's, in one transaction with the rotation's own record, and every process hears of it by
 * the change log. The old one stays in the rotation, sealed, until it is deleted.
 */
export const switchKey: Step = async (deps, rotation) => {
  const { next: fresh } = rotation;
  const key = await deps.store.providerKeys.findById(rotation.keyId);
  const nowMs = deps.nowMs();
  if (fresh?.sealed == null) return finalTrouble("there is no new secret");
  if (key === undefined || key.revokedAtMs !== null) {
    const record = { ...rotation, problem: "The provider key was revoked meanwhile." };
    return next(enterState(record, "undo", nowMs));
  }
  const { account } = await openDesk(deps, rotation.accountId);
  const { ownership } = fresh;
  const { twin, refusal } = await judgeNext(deps, rotation, { account, ownership });
  if (twin !== undefined) return finalTrouble(`the new secret is provider key ${twin.id} already`);
  if (refusal !== undefined) return finalTrouble(refusal.message);
  const switched: RotationRecord = {
    ...noted(rotation, "the new secret is the key's", nowMs),
    activatedAtMs: nowMs,
    old: { ...rotation.old, sealed: key.sealed },
    next: { ...fresh, sealed: null },
  };
  return next(inUse(switched, nowMs), (repositories) => give(repositories, key, fresh, nowMs));
};

/** Also a compromised secret is kept until it is known that the new one works: without either no call would be answered. */
function inUse(rotation: RotationRecord, nowMs: number): RotationRecord {
  if (!rotation.isVerified) {
    return { ...enterState(rotation, "observe", nowMs), problem: unprovenProblem(rotation) };
  }
  if (!rotation.isCompromise) return enterState(rotation, "observe", nowMs);
  const entered = enterState(rotation, "revoke", nowMs);
  return { ...entered, nextAttemptAtMs: nowMs + SWITCH_SPREAD_MS };
}

function unprovenProblem({ id, keyId }: RotationRecord): string {
  return [
    "Whether the new secret works is not known: the test call proved nothing. The old one is kept until a call is answered with the new one.",
    `If it is the wrong one: keyward rotations cancel ${id}, then rotate with another one.`,
    `To have the old one revoked all the same: keyward rotations revoke-old ${id}.`,
    `To end the key at once: keyward provider-keys revoke ${keyId}.`,
  ].join(" ");
}

/**
 * Back to the old secret, as the key's next version: versions only ever count up, so that what was seen of one is never
 * taken for another's. An end that its provider was told of is put off first.
 */
export const switchBack: Step = async (deps, rotation) => {
  const { old, next: fresh, environmentId, keyId } = rotation;
  const key = await deps.store.providerKeys.findById(keyId);
  if (key === undefined || fresh === null || old.sealed === null) {
    return finalTrouble("the old secret is not kept any more");
  }
  if (rotation.isOldExpiring && old.remote !== null) {
    const found = await findAdministration(deps, await openDesk(deps, rotation.accountId));
    if (found.kind === "absent") return finalTrouble(found.problem);
    const put = await found.administration.expireKey(old.remote, FAR_SECONDS);
    if (put.kind !== "done") return troubleOf(put, "the old key's end could not be put off");
  }
  const secretId = keyId;
  const secret = await deps.vault.open(old.sealed, {
    environmentId,
    secretId,
    version: old.version,
  });
  const version = key.version + 1;
  const sealed = await deps.vault.seal(secret, { environmentId, secretId, version });
  const nowMs = deps.nowMs();
  const record: RotationRecord = {
    ...noted(rotation, "the old secret is the key's again", nowMs),
    activatedAtMs: null,
    isOldExpiring: false,
    graceUntilMs: nowMs + rotation.graceMs,
    old: { ...old, sealed: null },
    next: { ...fresh, sealed: key.sealed },
  };
  // Of a key that was revoked meanwhile nobody calls with anything.
  if (key.revokedAtMs !== null) return next(record);
  return next(record, (repositories) =>
    give(repositories, key, { ...old, version, sealed }, nowMs),
  );
};

/** Ten years. */
const FAR_SECONDS = 10 * 365 * 24 * 3600;

async function give(
  { providerKeys, rotation }: Repositories,
  key: ProviderKeyRecord,
  { version, sealed, fingerprint, preview, ownership, remote }: SecretVersion,
  nowMs: number,
): Promise<boolean> {
  if (sealed === null) throw new Error(`version ${version} of ${key.id} is not kept`);
  const previousVersion = key.version;
  const secret = { previousVersion, version, sealed, fingerprint, preview };
  if (!(await providerKeys.replaceSecret(key.id, secret))) return false;
  await rotation.keyFacts.startSecret(key.id, { sinceMs: nowMs, ownership, remote });
  return true;
}
