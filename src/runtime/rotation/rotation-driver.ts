import { noted } from "../../core/resumable/resumable.ts";
import {
  nextStep,
  type RotationStep,
  type SecretSightings,
} from "../../core/rotation/next-step.ts";
import { afterTrouble, enterState } from "../../core/rotation/rotation.ts";
import type { RotationRecord } from "../../store/rotation-records.ts";
import {
  attempt,
  type Driven,
  driveGuarded,
  keep,
  type KindOfWork,
  type RunStepDeps,
} from "./run-step.ts";
import { next, type Step, type StepDeps, type StepResult } from "./step.ts";
import { createKey } from "./steps/create-key.ts";
import { beginGrace, endGrace } from "./steps/grace.ts";
import { identifyKey } from "./steps/identify-key.ts";
import { deleteNew, revokeKey } from "./steps/revoke-key.ts";
import { switchBack, switchKey } from "./steps/switch-key.ts";
import { testKey } from "./steps/test-key.ts";

const STEPS: Readonly<Record<Exclude<RotationStep["do"], "wait" | "turn_back">, Step>> = {
  create: createKey,
  identify: identifyKey,
  test: testKey,
  switch: switchKey,
  begin_grace: beginGrace,
  end_grace: endGrace,
  revoke: revokeKey,
  switch_back: switchBack,
  delete_new: deleteNew,
};

/** Uses are noted by the time at which a call began; one that began before the switch counts for the old secret. */
const SWITCH_MARGIN_MS = 5_000;

const ROTATIONS: KindOfWork<RotationRecord> = {
  what: "rotation",
  afterTrouble,
  save: ({ rotation }, record) => rotation.rotations.save(record),
};

/**
 * Does one step of a rotation, and writes down what comes next. Whoever dies in between leaves a record from which another
 * goes on; whoever is overtaken has changed nothing.
 */
export async function driveOnce(
  deps: RunStepDeps,
  rotation: RotationRecord,
): Promise<Driven<RotationRecord>> {
  return await driveGuarded(deps, ROTATIONS, rotation, () => drive(deps, rotation));
}

async function drive(deps: RunStepDeps, rotation: RotationRecord): Promise<Driven<RotationRecord>> {
  const step = nextStep(rotation, await sightingsOf(deps, rotation), deps.nowMs());
  if (step.do === "wait") return { kind: "waits", untilMs: step.untilMs };
  const result =
    step.do === "turn_back"
      ? turnBack(deps, rotation, step.problem + adviceOn(rotation))
      : await attempt(deps, ROTATIONS, rotation, STEPS[step.do]);
  return await keep(deps, ROTATIONS, rotation, result);
}

function turnBack(deps: StepDeps, rotation: RotationRecord, problem: string): StepResult {
  const nowMs = deps.nowMs();
  return next(enterState({ ...noted(rotation, problem, nowMs), problem }, "undo", nowMs));
}

/** Calls go on with a secret that somebody else has, too: that must not be the end of it. */
function adviceOn({ isCompromise, keyId }: RotationRecord): string {
  if (!isCompromise) return "";
  return ` It is in wrong hands: rotate with another one, or end the key at once: keyward provider-keys revoke ${keyId}.`;
}

const UNSEEN: SecretSightings = { hasWorked: false, isRefused: false, isUsed: false };

async function sightingsOf(
  { store }: Pick<StepDeps, "store">,
  { state, keyId, next: fresh, activatedAtMs }: RotationRecord,
): Promise<SecretSightings> {
  if (state !== "observe" || fresh === null || activatedAtMs === null) return UNSEEN;
  const [facts, uses] = await Promise.all([
    store.rotation.keyFacts.of(keyId),
    store.alerts.providerKeyUses.lastUsesOf([keyId]),
  ]);
  const hasWorked = facts.worked?.version === fresh.version;
  return {
    hasWorked,
    isRefused: !hasWorked && facts.refused?.version === fresh.version,
    isUsed: (uses.get(keyId) ?? 0) > activatedAtMs + SWITCH_MARGIN_MS,
  };
}
