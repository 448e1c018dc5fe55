import { beginRotation } from "../../admin/begin-rotation.ts";
import type { IdFactory } from "../../core/ids/ids.ts";
import {
  DEFAULT_GRACE_SECONDS,
  DEFAULT_OBSERVE_SECONDS,
  rotationDueMs,
} from "../../core/rotation/rotation-schedule.ts";
import { findAdministration, openDesk } from "./account-desk.ts";
import type { RunStepDeps } from "./run-step.ts";

/**
 * Begins the rotation of every key whose time has come, where its provider can be asked for a new one. The others are told
 * of by an alert: a person has to bring a secret.
 */
export async function rotateScheduled(
  deps: RunStepDeps & { readonly ids: Pick<IdFactory, "create"> },
): Promise<void> {
  const { store, nowMs, log } = deps;
  for (const {
    keyId,
    secretSinceMs,
    rotateEveryDays,
  } of await store.rotation.keyFacts.listScheduled()) {
    const key = await store.providerKeys.findById(keyId);
    if (key === undefined || key.revokedAtMs !== null || rotateEveryDays === null) continue;
    if (rotationDueMs(secretSinceMs ?? key.createdAtMs, rotateEveryDays) > nowMs()) continue;
    if ((await store.rotation.rotations.findOpenOf(keyId)) !== undefined) continue;
    const found = await findAdministration(deps, await openDesk(deps, key.accountId));
    if (found.kind === "absent") continue;
    const begun = await beginRotation(deps, {
      key,
      secret: undefined,
      isCompromise: false,
      observeMs: DEFAULT_OBSERVE_SECONDS * 1000,
      graceMs: DEFAULT_GRACE_SECONDS * 1000,
      trigger: "schedule",
      createdBy: "the schedule",
    });
    if ("record" in begun) log.info({ keyId, rotation: begun.record.id }, "a rotation was due");
  }
}
