import { listStolenSecrets } from "../../admin/stolen-secrets.ts";
import { findStuckWork, progressOf, type StuckWork } from "../../admin/stuck-work.ts";
import type { AlertFact } from "../../core/alerts/alert-content.ts";
import {
  describeStolenSecret,
  describeStuckWork,
  type StuckWorkFacts,
} from "../../core/alerts/rotation-content.ts";
import type { AlertRuleRecord } from "../../store/alert-records.ts";
import type { RotationRecord } from "../../store/rotation-records.ts";
import { type Finding, formatMinute } from "./finding.ts";
import { keyFactsOf, type KeyFindingDeps } from "./provider-key-findings.ts";

type Provision = StuckWork["provisions"][number];

/** So long whoever rotated a stolen secret has to delete it at the provider before others are told. */
const STOLEN_QUIET_MS = 15 * 60_000;

/**
 * Rotations and provisions that wait for a person, by the same judgement as in `status` and `doctor`, and stolen secrets that
 * nobody has deleted: each once in the state that it is in.
 */
export async function findFailedRotations(
  { store, nowMs }: KeyFindingDeps,
  rule: AlertRuleRecord,
): Promise<readonly Finding[]> {
  const { rotations, provisions } = await findStuckWork(store);
  const stolen = await listStolenSecrets(store);
  const isTold = ({ endedAtMs }: RotationRecord) => nowMs - (endedAtMs ?? nowMs) >= STOLEN_QUIET_MS;
  return [
    ...rotations.filter((one) => isMeant(one, rule)).map((one) => findingOfRotation(store, one)),
    ...provisions.filter((one) => isMeant(one, rule)).map((one) => findingOfProvision(store, one)),
    ...stolen
      .filter((one) => isMeant(one, rule) && isTold(one))
      .map((one) => findingOfStolen(store, one)),
  ];
}

function isMeant(
  { environmentId, accountId }: Pick<RotationRecord, "environmentId" | "accountId">,
  { scope }: AlertRuleRecord,
): boolean {
  if (scope === null || scope.id === null) return true;
  return scope.id === (scope.kind === "environment" ? environmentId : accountId);
}

function findingOfRotation(store: KeyFindingDeps["store"], rotation: RotationRecord): Finding {
  const { id, keyId, isCompromise } = rotation;
  const progress = progressOf(rotation);
  return {
    key: { kind: "providerKey", id: keyId, period: `${id} ${progress.step} ${progress.sinceMs}` },
    describe: async () => {
      const about = await aboutKey(store, rotation);
      const stuck = {
        kind: "rotation",
        id,
        isCompromise,
        ...about,
        ...standingOf(progress),
      } as const;
      return describeStuckWork(stuck, formatMinute);
    },
  };
}

function findingOfProvision(store: KeyFindingDeps["store"], provision: Provision): Finding {
  const { id, environmentId, keyName } = provision;
  const progress = progressOf(provision);
  return {
    key: {
      kind: "environment",
      id: environmentId,
      period: `${id} ${progress.step} ${progress.sinceMs}`,
    },
    describe: async () => {
      const environment = (await store.environments.findById(environmentId))?.name ?? environmentId;
      const facts = [{ label: "environment", value: environment, figures: { environment } }];
      const about = { whose: `provider key ${keyName} of ${environment}`, facts };
      const what = { kind: "provision", id, isCompromise: false } as const;
      return describeStuckWork({ ...what, ...about, ...standingOf(progress) }, formatMinute);
    },
  };
}

function standingOf({
  step,
  hasFailed,
  isHeld,
  hasEnded,
  problem,
  sinceMs,
}: ReturnType<typeof progressOf>): Pick<
  StuckWorkFacts,
  "step" | "standing" | "problem" | "sinceMs"
> {
  const open = hasFailed ? (isHeld ? "held" : "failed") : "tried";
  return { step, standing: hasEnded ? "ended" : open, problem, sinceMs };
}

function findingOfStolen(store: KeyFindingDeps["store"], rotation: RotationRecord): Finding {
  const { id: rotationId, keyId, old, oldFate } = rotation;
  return {
    key: { kind: "providerKey", id: keyId, period: `stolen secret of ${rotationId}` },
    describe: async () => {
      const stolen = { rotationId, preview: old.preview, isValid: oldFate === "valid" };
      return describeStolenSecret({ ...stolen, ...(await aboutKey(store, rotation)) });
    },
  };
}

async function aboutKey(
  store: KeyFindingDeps["store"],
  { keyId, environmentId }: RotationRecord,
): Promise<{ readonly whose: string; readonly facts: readonly AlertFact[] }> {
  const key = await store.providerKeys.findById(keyId);
  if (key === undefined) return { whose: `provider key ${keyId} of ${environmentId}`, facts: [] };
  const { environment, facts } = await keyFactsOf(store, key);
  return { whose: `provider key ${key.name} of ${environment}`, facts };
}
