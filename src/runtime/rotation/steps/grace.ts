import { noted } from "../../../core/resumable/resumable.ts";
import { enterState, soonestEnd } from "../../../core/rotation/rotation.ts";
import type { RotationRecord } from "../../../store/rotation-records.ts";
import { findAdministration, openDesk } from "../account-desk.ts";
import { next, type Step, trouble } from "../step.ts";

/** The old key ends by itself so long after the grace, should nobody come to delete it. */
const MARGIN_SECONDS = 24 * 3600;
const MAX_TRIES = 3;

/** The new secret was seen to work: from here on the old one lives only for the calls that began with it. */
export const beginGrace: Step = async (deps, rotation) => {
  const nowMs = deps.nowMs();
  const graceUntilMs = Math.max(nowMs + rotation.graceMs, soonestEnd(rotation, nowMs));
  // It was tested, or a call of an application was answered: else nothing would have come here.
  const begin = (record: RotationRecord) =>
    next({ ...enterState(record, "grace", nowMs), isVerified: true, graceUntilMs });
  const { remote } = rotation.old;
  const found = await findAdministration(deps, await openDesk(deps, rotation.accountId));
  if (remote === null || found.kind === "absent") return begin(rotation);
  const inSeconds = Math.ceil(rotation.graceMs / 1000) + MARGIN_SECONDS;
  const set = await found.administration.expireKey(remote, inSeconds);
  if (set.kind === "done") return begin({ ...rotation, isOldExpiring: true });
  if (set.kind === "trouble" && rotation.attempts < MAX_TRIES) {
    return trouble(set.problem, set.retryAfterMs);
  }
  const why = set.kind === "missing" ? "it is not there any more" : set.problem;
  return begin(noted(rotation, `the old key was given no end of its own: ${why}`, nowMs));
};

export const endGrace: Step = async (deps, rotation) =>
  next(enterState(rotation, "revoke", deps.nowMs()));
