import type { RotationRecord } from "../../store/rotation-records.ts";
import { lookLateOnce } from "./look-late.ts";
import { checkOldOnce } from "./old-secret.ts";
import type { Driven, RunStepDeps } from "./run-step.ts";

/** What is left to do for a rotation that has ended: a key that came late, a stolen secret that may still be valid. */
export async function lookAfterOnce(
  deps: RunStepDeps,
  rotation: RotationRecord,
): Promise<Driven<RotationRecord>> {
  const late = await lookLateOnce(deps, rotation);
  if (late.kind !== "waits") return late;
  const old = await checkOldOnce(deps, rotation);
  if (old.kind !== "waits") return old;
  return { kind: "waits", untilMs: soonest(late.untilMs, old.untilMs) };
}

function soonest(one: number | null, other: number | null): number | null {
  return one === null || other === null ? (one ?? other) : Math.min(one, other);
}
