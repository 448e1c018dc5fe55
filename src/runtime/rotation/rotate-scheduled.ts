import { beginRotation } from "../../admin/begin-rotation.ts";
import type { IdFactory } from "../../core/ids/ids.ts";
import {
  DEFAULT_GRACE_SECONDS,
  DEFAULT_OBSERVE_SECONDS,
  rotationDueMs,
} from "../../core/rotation/rotation-schedule.ts";
import type { KeyFactsRecord } from "../../store/rotation-records.ts";
import { findAdministration, openDesk } from "./account-desk.ts";
import type { RunStepDeps } from "./run-step.ts";

type ScheduleDeps = RunStepDeps & { readonly ids: Pick<IdFactory, "create"> };

/**
 * Begins the rotation of every key whose time has come, where its provider can be asked for a new one. The others are told
 * of by an alert: a person has to bring a secret.
 */
export async function rotateScheduled(deps: ScheduleDeps): Promise<void> {
  const { store, log } = deps;
  for (const facts of await store.rotation.keyFacts.listScheduled()) {
    try {
      await rotateIfDue(deps, facts);
    } catch (err) {
      // One key that can't be rotated keeps no other from it; it is looked at again with the next turn.
      log.error({ err, keyId: facts.keyId }, "the rotation of a provider key could not be begun");
    }
  }
}

async function rotateIfDue(
  deps: ScheduleDeps,
  { keyId, secretSinceMs, rotateEveryDays }: KeyFactsRecord,
): Promise<void> {
  const { store, nowMs, log } = deps;
  const key = await store.providerKeys.findById(keyId);
  if (key === undefined || key.revokedAtMs !== null || rotateEveryDays === null) return;
  if (rotationDueMs(secretSinceMs ?? key.createdAtMs, rotateEveryDays) > nowMs()) return;
  if ((await store.rotation.rotations.findOpenOf(keyId)) !== undefined) return;
  const found = await findAdministration(deps, await openDesk(deps, key.accountId));
  if (found.kind === "absent") return;
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
