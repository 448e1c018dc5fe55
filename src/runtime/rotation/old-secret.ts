import { noted } from "../../core/resumable/resumable.ts";
import {
  awaitsRevocation,
  nextOldCheckMs,
  withoutOldSecret,
} from "../../core/rotation/old-secret.ts";
import type { RotationRecord } from "../../store/rotation-records.ts";
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

/** What the provider says to the old secret; `unknown` where it is not kept, or the answer proves nothing. */
type OldSecretAnswer = "refused" | "valid" | "unknown";

/** Calls with the old secret, which costs nothing. */
export async function tryOldSecret(
  deps: Pick<AccountDeskDeps, "ask" | "vault">,
  desk: AccountDesk,
  rotation: RotationRecord,
): Promise<OldSecretAnswer> {
  const secret = await openOld(deps, rotation);
  if (secret === undefined) return "unknown";
  const answer = await probeSecret(deps.ask, desk, secret);
  if (answer.kind === "refused") return "refused";
  return answer.kind === "works" ? "valid" : "unknown";
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
  if (answer === "refused") {
    const text = "the provider refuses the old secret now";
    return next(withoutOldSecret(noted(rotation, text, nowMs), answer));
  }
  const oldFate = answer === "valid" ? answer : rotation.oldFate;
  return next(putOff({ ...rotation, oldFate }, nowMs));
};

function putOff(rotation: RotationRecord, nowMs: number): RotationRecord {
  return { ...rotation, oldCheckAtMs: nextOldCheckMs(rotation.endedAtMs ?? nowMs, nowMs) };
}
