/**
 * The replacement of a provider's secret by another one, as a machine that can stop between any two of its steps and go
 * on in another process. Here is what a state means and what may follow it; who asks the provider, and where it is kept,
 * is elsewhere. Nothing in this folder knows the time by itself.
 *
 * ```
 * create → pending → test → active → observe → grace → revoke → done
 *                     (a person calls it off, or the new secret is refused in use) → undo → cancelled
 *                     (nothing helps but a person)                                 → failed
 *                     (it is held, see resumable/hold.ts)                          → failed → cancelled
 * ```
 *
 * A key that was made and is gone before it was used is made anew: from `pending` and `test` back to `create`.
 * The old secret is not revoked before the new one was seen to work: `test` calls with it, `observe` waits for the first
 * call of an application that was answered with it. A compromised one is revoked right after a test that proved it;
 * otherwise it is waited for, too, unless a person says that the old one is to be revoked all the same.
 */
import { giveUp, hold, type Holdable } from "../resumable/hold.ts";
import {
  canTurnBack,
  enter,
  type Resumable,
  retry,
  type Trouble,
  troubled,
  type Way,
} from "../resumable/resumable.ts";

/**
 * What is to be done next. `create`: have the provider make a key; its name is kept before, so that one made just before a
 * crash is found. `pending`: find out whose the new secret is. `test`: call with it. `active`: have every process use it.
 * `observe`: wait until it was seen in use. `grace`: let calls that began with the old one end. `revoke`: delete the old
 * one. `undo`: go back to the old one, delete the new one. `failed`: wait for a person to retry or cancel.
 */
export const ROTATION_STATES = [
  "create",
  "pending",
  "test",
  "active",
  "observe",
  "grace",
  "revoke",
  "done",
  "undo",
  "cancelled",
  "failed",
] as const;
export type RotationState = (typeof ROTATION_STATES)[number];

/** `automatic`: the provider is asked for the new secret. `assisted`: a person brings it. */
const ROTATION_WAYS = ["automatic", "assisted"] as const;
export type RotationWay = (typeof ROTATION_WAYS)[number];

const ROTATION_TRIGGERS = ["request", "schedule"] as const;
export type RotationTrigger = (typeof ROTATION_TRIGGERS)[number];

/**
 * What is known of the old secret after the end. `refused`: the provider was asked, and takes it no more. `deleted`: the
 * provider has deleted it, and what it says to a call with it proves nothing. `confirmed`: a person says that it is deleted.
 */
export const OLD_SECRET_FATES = ["refused", "deleted", "confirmed", "valid", "unknown"] as const;
export type OldSecretFate = (typeof OLD_SECRET_FATES)[number];

/** Every process hears of a secret that has become the key's within this; until then it calls with the one before. */
export const SWITCH_SPREAD_MS = 2_000;

/** The part of a rotation that decides what comes next. */
export interface RotationProgress extends Resumable<RotationState> {
  readonly way: RotationWay;
  /** The old secret is in wrong hands: it is revoked as soon as the new one works. */
  readonly isCompromise: boolean;
  /** How long the first use of the new secret is waited for where nobody calls. */
  readonly observeMs: number;
  /** How long both secrets are valid after the new one was seen in use. */
  readonly graceMs: number;
  /** A call was answered with the new secret and would not have been with another; false where none is known of. */
  readonly isVerified: boolean;
  /** When the new secret became the key's; null before, and after going back. */
  readonly activatedAtMs: number | null;
  /** When the old secret may be deleted, or with `undo` the new one. */
  readonly graceUntilMs: number | null;
}

const WAY: Way<RotationState> = {
  what: "a rotation",
  after: {
    create: ["pending", "undo", "failed"],
    pending: ["test", "create", "undo", "failed"],
    test: ["active", "create", "undo", "failed"],
    active: ["observe", "revoke", "undo", "failed"],
    observe: ["grace", "undo", "failed"],
    grace: ["revoke", "undo", "failed"],
    revoke: ["done", "failed"],
    undo: ["cancelled", "failed"],
    failed: [
      "create",
      "pending",
      "test",
      "active",
      "observe",
      "grace",
      "revoke",
      "undo",
      "cancelled",
    ],
    done: [],
    cancelled: [],
  },
  keepingProblem: ["undo", "cancelled"],
};

/** The rotation in its next state, with no try made yet. Throws for a state that cannot follow. */
export function enterState<Progress extends RotationProgress>(
  rotation: Progress,
  state: RotationState,
  nowMs: number,
): Progress {
  return enter(WAY, rotation, state, nowMs);
}

/** The rotation after a step that did not succeed: to be tried again, later each time, or by a person. */
export function afterTrouble<Progress extends RotationProgress>(
  rotation: Progress,
  trouble: Trouble,
  nowMs: number,
): Progress {
  return troubled(WAY, rotation, trouble, nowMs);
}

/** Whether a person can still call it off: until the old secret is being deleted, and never twice. */
export function isCancellable(rotation: RotationProgress): boolean {
  return canTurnBack(WAY, rotation, "undo");
}

/** Whether a person can have the old secret revoked before the new one was seen to work, or before the grace is over. */
export function canRevokeOld({ state }: RotationProgress): boolean {
  return state === "observe" || state === "grace";
}

/** Nothing is waited for any more but that every process has heard of the new secret. Only where that is allowed. */
export function revokingOld<Progress extends RotationProgress>(
  rotation: Progress,
  nowMs: number,
): Progress {
  const inGrace = rotation.state === "grace" ? rotation : enterState(rotation, "grace", nowMs);
  return { ...inGrace, nextAttemptAtMs: nowMs, graceUntilMs: soonestEnd(rotation, nowMs) };
}

/** When calls that began with the old secret have had their least time. */
export function soonestEnd({ activatedAtMs }: RotationProgress, nowMs: number): number {
  return Math.max(nowMs, (activatedAtMs ?? nowMs) + SWITCH_SPREAD_MS);
}

/** Goes on now from where it stopped. Only what is retryable. */
export function retried<Progress extends RotationProgress>(
  rotation: Progress,
  nowMs: number,
): Progress {
  return retry(WAY, rotation, nowMs);
}

/** Put back from a backup: it waits until a person lets it go on or gives it up. */
export function holdRotation<Held extends RotationProgress & Holdable<RotationState>>(
  rotation: Held,
  nowMs: number,
): Held {
  return hold<RotationState, Held>(WAY, rotation, nowMs);
}

/** A held one ends where it stands: the key keeps the secret that it has. */
export function giveUpRotation<Held extends RotationProgress & Holdable<RotationState>>(
  rotation: Held,
  why: Parameters<typeof giveUp>[2],
): Held {
  return giveUp<RotationState, Held>(WAY, rotation, why);
}
