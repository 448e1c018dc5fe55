import type { OldSecretFate, RotationState } from "./rotation.ts";

/** What a rotation has to know of the secret that it replaces. */
interface OldSecret {
  readonly isCompromise: boolean;
  readonly state: RotationState;
  readonly oldFate: OldSecretFate | null;
}

/**
 * What the provider says to the old secret. `refused_perhaps`: it refuses it and takes the one in use, and does not say that
 * the secret is the reason. `unknown`: it is not kept, or the answer proves nothing.
 */
export type OldSecretAnswer = "refused" | "refused_perhaps" | "valid" | "unknown";

const ENDED: ReadonlySet<OldSecretFate | null> = new Set(["refused", "deleted", "confirmed"]);

/** Whether nobody can call with it any more, as far as anybody can know. */
export function isOldEnded(fate: OldSecretFate | null): boolean {
  return ENDED.has(fate);
}

/**
 * Whether the rotation has ended and whoever has the stolen secret may still call with it: that must not be forgotten until
 * the provider refuses it, or a person says that it is deleted there.
 */
export function awaitsRevocation({ isCompromise, state, oldFate }: OldSecret): boolean {
  return isCompromise && state === "done" && !isOldEnded(oldFate);
}

interface KeptOldSecret extends OldSecret {
  readonly oldCheckAtMs: number | null;
  readonly oldRefusedAtMs: number | null;
  readonly old: { readonly sealed: object | null };
}

/** The rotation with what has become of its old secret: nothing needs that any more, and it is kept for nobody to find. */
export function withoutOldSecret<Kept extends KeptOldSecret>(
  rotation: Kept,
  fate: OldSecretFate,
): Kept {
  const old = { ...rotation.old, sealed: null };
  return { ...rotation, oldFate: fate, oldCheckAtMs: null, oldRefusedAtMs: null, old };
}

/** Whether an earlier look, and not one of the same moment, met with a refusal, and every one since. */
export function wasRefused(
  { oldRefusedAtMs }: Pick<KeptOldSecret, "oldRefusedAtMs">,
  nowMs: number,
): boolean {
  return oldRefusedAtMs !== null && nowMs - oldRefusedAtMs >= FIRST_MS;
}

const FIRST_MS = 60_000;
const LONGEST_MS = 3_600_000;

/** When a stolen secret is tried next: soon while somebody may be deleting it, every hour later on. */
export function nextOldCheckMs(endedAtMs: number, nowMs: number): number {
  const eighthMs = Math.max(0, nowMs - endedAtMs) / 8;
  return nowMs + Math.round(Math.min(LONGEST_MS, Math.max(FIRST_MS, eighthMs)));
}
