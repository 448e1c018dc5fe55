/**
 * The making of what a new environment needs at its provider: a project with limits, a service account, and a key that
 * ends in the vault. It can stop between any two of its steps and go on in another process. Here is what a state means and
 * what may follow it; who asks the provider, and where it is kept, is elsewhere.
 *
 * ```
 * project → limits → key → identify → test → add → done
 *           (a person calls it off)       → undo → cancelled
 *           (nothing helps but a person)  → failed
 *           (it is held, see resumable/hold.ts) → failed → cancelled
 * ```
 *
 * The project has its limits before there is a key that could spend. A key that was made and is gone before it was added is
 * made anew: from `identify` and `test` back to `key`.
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
 * What is to be done next. `project`: have the provider make a project; its name is kept before, so that one made just
 * before a crash is found. `limits`: give it what Keyward's own limits come to. `key`: have a service account made, with
 * its key. `identify`: find out whose the key is. `test`: call with it. `add`: make it a provider key of the environment.
 * `undo`: delete the service account, archive the project. `failed`: wait for a person to retry or cancel.
 */
export const PROVISION_STATES = [
  "project",
  "limits",
  "key",
  "identify",
  "test",
  "add",
  "done",
  "undo",
  "cancelled",
  "failed",
] as const;
export type ProvisionState = (typeof PROVISION_STATES)[number];

export type ProvisionProgress = Resumable<ProvisionState>;

const WAY: Way<ProvisionState> = {
  what: "a provision",
  after: {
    project: ["limits", "undo", "failed"],
    limits: ["key", "undo", "failed"],
    key: ["identify", "undo", "failed"],
    identify: ["test", "key", "undo", "failed"],
    test: ["add", "key", "undo", "failed"],
    add: ["done", "undo", "failed"],
    undo: ["cancelled", "failed"],
    failed: ["project", "limits", "key", "identify", "test", "add", "undo", "cancelled"],
    done: [],
    cancelled: [],
  },
  keepingProblem: ["undo", "cancelled"],
};

/** The provision in its next state, with no try made yet. Throws for a state that cannot follow. */
export function enterProvisionState<Progress extends ProvisionProgress>(
  provision: Progress,
  state: ProvisionState,
  nowMs: number,
): Progress {
  return enter(WAY, provision, state, nowMs);
}

/** The provision after a step that did not succeed: to be tried again, later each time, or by a person. */
export function afterProvisionTrouble<Progress extends ProvisionProgress>(
  provision: Progress,
  trouble: Trouble,
  nowMs: number,
): Progress {
  return troubled(WAY, provision, trouble, nowMs);
}

/** Whether a person can still call it off: until the key is the environment's. */
export function isProvisionCancellable(provision: ProvisionProgress): boolean {
  return canTurnBack(WAY, provision, "undo");
}

/** Goes on now from where it stopped. Only what is retryable. */
export function retriedProvision<Progress extends ProvisionProgress>(
  provision: Progress,
  nowMs: number,
): Progress {
  return retry(WAY, provision, nowMs);
}

/** Put back from a backup: it waits until a person lets it go on or gives it up. */
export function holdProvision<Held extends Holdable<ProvisionState>>(
  provision: Held,
  nowMs: number,
): Held {
  return hold<ProvisionState, Held>(WAY, provision, nowMs);
}

/** A held one ends where it stands: no key is added here. */
export function giveUpProvision<Held extends Holdable<ProvisionState>>(
  provision: Held,
  why: Parameters<typeof giveUp>[2],
): Held {
  return giveUp<ProvisionState, Held>(WAY, provision, why);
}
