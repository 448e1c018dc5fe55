import { afterProvisionTrouble, type ProvisionState } from "../../core/provisioning/provision.ts";
import type { ProvisionRecord } from "../../store/provision-repository.ts";
import {
  attempt,
  type Driven,
  driveGuarded,
  keep,
  type KindOfWork,
  type RunStepDeps,
} from "../rotation/run-step.ts";
import type { Step } from "../rotation/step.ts";
import { addKey } from "./steps/add-key.ts";
import { identifyMadeKey } from "./steps/identify-made-key.ts";
import { makeKey } from "./steps/make-key.ts";
import { makeProject } from "./steps/make-project.ts";
import { setLimits } from "./steps/set-limits.ts";
import { testMadeKey } from "./steps/test-made-key.ts";
import { undoProvision } from "./steps/undo-provision.ts";

const STEPS: Readonly<Partial<Record<ProvisionState, Step<ProvisionRecord>>>> = {
  project: makeProject,
  limits: setLimits,
  key: makeKey,
  identify: identifyMadeKey,
  test: testMadeKey,
  add: addKey,
  undo: undoProvision,
};

const PROVISIONS: KindOfWork<ProvisionRecord> = {
  what: "provision",
  afterTrouble: afterProvisionTrouble,
  save: ({ rotation }, record) => rotation.provisions.save(record),
};

/**
 * Does one step of a provision, and writes down what comes next. Whoever dies in between leaves a record from which another
 * goes on; whoever is overtaken has changed nothing here, and what it has made at the provider is found by its name.
 */
export async function driveProvisionOnce(
  deps: RunStepDeps,
  provision: ProvisionRecord,
): Promise<Driven<ProvisionRecord>> {
  const { state, endedAtMs, nextAttemptAtMs } = provision;
  const step = STEPS[state];
  // Without a step it has ended, or waits for a person.
  if (endedAtMs !== null || step === undefined) return { kind: "waits", untilMs: null };
  if (nextAttemptAtMs > deps.nowMs()) return { kind: "waits", untilMs: nextAttemptAtMs };
  return await driveGuarded(deps, PROVISIONS, provision, async () =>
    keep(deps, PROVISIONS, provision, await attempt(deps, PROVISIONS, provision, step)),
  );
}
