import { noted } from "../../core/resumable/resumable.ts";
import {
  awaitsRevocation,
  nextOldCheckMs,
  type OldSecretAnswer,
  wasRefused,
  withoutOldSecret,
} from "../../core/rotation/old-secret.ts";
import type { RotationRecord } from "../../store/rotation-records.ts";
import type { Repositories } from "../../store/store.ts";
import { type AccountDesk, type AccountDeskDeps, openDesk } from "./account-desk.ts";
import { probeSecret } from "./probe-secret.ts";
import {
  attempt,
  type Driven,
  driveGuarded,
  keep,
  type KindOfWork,
  type RunStepDeps,
} from "./run-step.ts";
import { next, type Step } from "./step.ts";

type TryDeps = Pick<AccountDeskDeps, "ask" | "vault"> & {
  readonly store: Pick<Repositories, "providerKeys">;
};

/**
 * Calls with the old secret, which costs nothing. A provider refuses a good secret, too: one that comes from a network that is
 * not allowed, or names another organization. So its word has to be that the secret itself is none. Where it has no such
 * word, the secret that is in use must be taken in the same moment, and the refusal be seen again later.
 */
export async function tryOldSecret(
  deps: TryDeps,
  desk: AccountDesk,
  rotation: RotationRecord,
): Promise<OldSecretAnswer> {
  const secret = await openOld(deps, rotation);
  if (secret === undefined) return "unknown";
  const answer = await probeSecret(deps.ask, desk, secret);
  if (answer.kind === "works") return "valid";
  if (answer.kind !== "refused" || answer.isOfSecret === false) return "unknown";
  if (answer.isOfSecret === true) return "refused";
  return (await isPresentTaken(deps, desk, rotation)) ? "refused_perhaps" : "unknown";
}

/** Whether the provider takes the secret that the key has now; false where that is the old one. */
async function isPresentTaken(
  { ask, vault, store }: TryDeps,
  desk: AccountDesk,
  { keyId, old }: RotationRecord,
): Promise<boolean> {
  const key = await store.providerKeys.findById(keyId);
  if (key === undefined || key.fingerprint === old.fingerprint) return false;
  const { environmentId, version, sealed } = key;
  const secret = await vault.open(sealed, { environmentId, secretId: key.id, version });
  return (await probeSecret(ask, desk, secret)).kind === "works";
}

/** In clear; undefined where it is not kept. */
export async function openOld(
  { vault }: Pick<AccountDeskDeps, "vault">,
  { old, environmentId, keyId }: RotationRecord,
): Promise<string | undefined> {
  if (old.sealed === null) return undefined;
  const { version } = old;
  return await vault.open(old.sealed, { environmentId, secretId: keyId, version });
}

const ENDED_ROTATIONS: KindOfWork<RotationRecord> = {
  what: "rotation",
  afterTrouble: (rotation, _, nowMs) => putOff(rotation, nowMs),
  save: ({ rotation }, record) => rotation.rotations.save(record),
};

/** Tries a stolen secret once more: with the first refusal nobody has to be reminded of it any longer. */
export async function checkOldOnce(
  deps: RunStepDeps,
  rotation: RotationRecord,
): Promise<Driven<RotationRecord>> {
  const { oldCheckAtMs: atMs } = rotation;
  if (atMs === null || atMs > deps.nowMs()) return { kind: "waits", untilMs: atMs };
  return await driveGuarded(deps, ENDED_ROTATIONS, rotation, async () =>
    keep(deps, ENDED_ROTATIONS, rotation, await attempt(deps, ENDED_ROTATIONS, rotation, checkOld)),
  );
}

const checkOld: Step = async (deps, rotation) => {
  if (!awaitsRevocation(rotation)) return next({ ...rotation, oldCheckAtMs: null });
  const desk = await openDesk(deps, rotation.accountId);
  const answer = await tryOldSecret(deps, desk, rotation);
  const nowMs = deps.nowMs();
  if (answer === "refused" || (answer === "refused_perhaps" && wasRefused(rotation, nowMs))) {
    const text = "the provider refuses the old secret now";
    return next(withoutOldSecret(noted(rotation, text, nowMs), "refused"));
  }
  const oldFate = answer === "valid" ? answer : rotation.oldFate;
  const oldRefusedAtMs = answer === "refused_perhaps" ? (rotation.oldRefusedAtMs ?? nowMs) : null;
  return next(putOff({ ...rotation, oldFate, oldRefusedAtMs }, nowMs));
};

function putOff(rotation: RotationRecord, nowMs: number): RotationRecord {
  return { ...rotation, oldCheckAtMs: nextOldCheckMs(rotation.endedAtMs ?? nowMs, nowMs) };
}
