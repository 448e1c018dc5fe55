import {
  nextStep,
  type RotationStep,
  type SecretSightings,
} from "../../core/rotation/next-step.ts";
import { afterTrouble, enterState } from "../../core/rotation/rotation.ts";
import { noted, type RotationRecord } from "../../store/rotation-records.ts";
import type { Log } from "../../telemetry/log.ts";
import { next, type Step, type StepDeps, type StepResult, trouble } from "./step.ts";
import { createKey } from "./steps/create-key.ts";
import { beginGrace, endGrace } from "./steps/grace.ts";
import { identifyKey } from "./steps/identify-key.ts";
import { deleteNew, revokeKey } from "./steps/revoke-key.ts";
import { switchBack, switchKey } from "./steps/switch-key.ts";
import { testKey } from "./steps/test-key.ts";

export interface RotationDriverDeps extends StepDeps {
  readonly log: Log;
}

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

export type Driven =
  | { readonly kind: "moved"; readonly record: RotationRecord }
  /** Nothing to do before that time; null: nothing by itself. */
  | { readonly kind: "waits"; readonly untilMs: number | null }
  /** Another process, or a person, has changed it meanwhile: it is to be read again. */
  | { readonly kind: "overtaken" };

/**
 * Does one step of a rotation, and writes down what comes next. Whoever dies in between leaves a record from which another
 * goes on; whoever is overtaken has changed nothing.
 */
export async function driveOnce(
  deps: RotationDriverDeps,
  rotation: RotationRecord,
): Promise<Driven> {
  const step = nextStep(rotation, await sightingsOf(deps, rotation), deps.nowMs());
  if (step.do === "wait") return { kind: "waits", untilMs: step.untilMs };
  const result =
    step.do === "turn_back"
      ? turnBack(deps, rotation, step.problem)
      : await attempt(deps, rotation, STEPS[step.do]);
  return await save(deps, rotation, result);
}

function turnBack(deps: StepDeps, rotation: RotationRecord, problem: string): StepResult {
  const nowMs = deps.nowMs();
  return next(enterState({ ...noted(rotation, problem, nowMs), problem }, "undo", nowMs));
}

/** A step that breaks is tried again: the store may be away, a seal may not open. */
async function attempt(
  deps: RotationDriverDeps,
  rotation: RotationRecord,
  step: Step,
): Promise<StepResult> {
  try {
    return await step(deps, rotation);
  } catch (err) {
    deps.log.error(
      { err, rotation: rotation.id, state: rotation.state },
      "a rotation's step broke",
    );
    return trouble("Keyward itself could not do the step: its log says why");
  }
}

async function save(
  deps: RotationDriverDeps,
  rotation: RotationRecord,
  result: StepResult,
): Promise<Driven> {
  const { store, log } = deps;
  const record = result.kind === "next" ? result.record : troubled(deps, rotation, result);
  const commit = result.kind === "next" ? result.commit : undefined;
  const saved = await store
    .transaction(async (repositories) => {
      if (commit !== undefined && !(await commit(repositories))) throw new OvertakenError();
      const kept = await repositories.rotation.rotations.save(record);
      if (kept === undefined) throw new OvertakenError();
      return kept;
    })
    .catch((err: unknown) => {
      // Recovered from: nothing of the transaction has become true, and the record is read again.
      if (err instanceof OvertakenError) return undefined;
      throw err;
    });
  if (saved === undefined) return { kind: "overtaken" };
  const { id, keyId, state, problem } = saved;
  const facts = { rotation: id, keyId, from: rotation.state, state };
  if (state === "failed") log.error({ ...facts, problem }, "a rotation waits for a person");
  else if (result.kind === "trouble")
    log.warn({ ...facts, problem }, "a rotation's step is tried again");
  else log.info(facts, "a rotation goes on");
  return { kind: "moved", record: saved };
}

class OvertakenError extends Error {}

/** What is in the way is noted once, however often it is tried. */
function troubled(
  deps: StepDeps,
  rotation: RotationRecord,
  { trouble: problem }: Extract<StepResult, { readonly kind: "trouble" }>,
): RotationRecord {
  const nowMs = deps.nowMs();
  const isKnown = rotation.notes.at(-1)?.text === problem.problem;
  return afterTrouble(isKnown ? rotation : noted(rotation, problem.problem, nowMs), problem, nowMs);
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
