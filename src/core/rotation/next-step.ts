import type { RotationProgress, RotationState } from "./rotation.ts";

/** What calls have told of the new secret since it became the key's. */
export interface SecretSightings {
  /** A call was answered with it. */
  readonly hasWorked: boolean;
  /** The provider refused it, and no call was answered with it. */
  readonly isRefused: boolean;
  /** The key was used since, whatever the answer. */
  readonly isUsed: boolean;
}

/** What a driver has to do for a rotation now. Each can be begun again from its start. */
export type RotationStep =
  | {
      readonly do:
        | "create"
        | "identify"
        | "test"
        | "switch"
        | "begin_grace"
        | "end_grace"
        | "revoke";
    }
  /** Back to the old secret, where the new one is the key's; then the new one is deleted. */
  | { readonly do: "switch_back" | "delete_new" }
  /** Nothing but to go back: `problem` says why. */
  | { readonly do: "turn_back"; readonly problem: string }
  /** Nothing before that time; null: nothing by itself. */
  | { readonly do: "wait"; readonly untilMs: number | null };

export const REFUSED_IN_USE =
  "The provider refused the new secret when it was used. Calls go on with the old one.";

/** In the states in which there is nothing to wait for. */
const STEPS: Readonly<Partial<Record<RotationState, RotationStep>>> = {
  create: { do: "create" },
  pending: { do: "identify" },
  test: { do: "test" },
  active: { do: "switch" },
  revoke: { do: "revoke" },
};

export function nextStep(
  rotation: RotationProgress,
  sightings: SecretSightings,
  nowMs: number,
): RotationStep {
  const { state, nextAttemptAtMs } = rotation;
  if (rotation.endedAtMs !== null || state === "failed") return { do: "wait", untilMs: null };
  if (nextAttemptAtMs > nowMs) return { do: "wait", untilMs: nextAttemptAtMs };
  if (state === "observe") return observe(rotation, sightings, nowMs);
  if (state === "grace") return waitThen("end_grace", rotation, nowMs);
  if (state !== "undo") return STEPS[state] ?? { do: "wait", untilMs: null };
  return rotation.activatedAtMs === null
    ? waitThen("delete_new", rotation, nowMs)
    : { do: "switch_back" };
}

/**
 * Without a call nothing can be seen, and after a while the test has to do; unless there was none. With calls of which none
 * was answered it is waited on: they may fail for reasons of their own.
 */
function observe(
  { activatedAtMs, observeMs, isVerified }: RotationProgress,
  { hasWorked, isRefused, isUsed }: SecretSightings,
  nowMs: number,
): RotationStep {
  if (hasWorked) return { do: "begin_grace" };
  if (isRefused) return { do: "turn_back", problem: REFUSED_IN_USE };
  const untilMs = (activatedAtMs ?? nowMs) + observeMs;
  if (nowMs < untilMs) return { do: "wait", untilMs };
  return isVerified && !isUsed ? { do: "begin_grace" } : { do: "wait", untilMs: null };
}

function waitThen(
  step: "end_grace" | "delete_new",
  { graceUntilMs }: RotationProgress,
  nowMs: number,
): RotationStep {
  return graceUntilMs !== null && graceUntilMs > nowMs
    ? { do: "wait", untilMs: graceUntilMs }
    : { do: step };
}
