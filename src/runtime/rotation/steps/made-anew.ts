import { noted } from "../../../core/resumable/resumable.ts";
import { enterState } from "../../../core/rotation/rotation.ts";
import type { RotationRecord } from "../../../store/rotation-records.ts";
import { next, type StepResult } from "../step.ts";

/** A key that was just made is not listed, and is refused, until all of a provider's machines know of it. */
export const MAX_UNKNOWN_MS = 2 * 60_000;

/** Whether it is too early to say that a new key is not there. */
export function isTooEarly({ way, stateSinceMs }: RotationRecord, nowMs: number): boolean {
  return way === "automatic" && nowMs - stateSinceMs < MAX_UNKNOWN_MS;
}

/**
 * Begins again with a new key: somebody has deleted the one before. It may have been another driver of this very rotation,
 * which was held up in `create` for so long that it took the key for a leftover of a process that is dead.
 */
export function madeAnew(rotation: RotationRecord, nowMs: number): StepResult {
  const record = noted(rotation, "the new key is not there any more: another is made", nowMs);
  return next(enterState({ ...record, next: null }, "create", nowMs));
}
