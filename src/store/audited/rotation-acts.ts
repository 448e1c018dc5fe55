/** What is written about the life of provider keys: what people begin, and each state that a rotation comes to. */
import { isOldEnded } from "../../core/rotation/old-secret.ts";
import type { ProvisionRecord, ProvisionRepository } from "../provision-repository.ts";
import type { RotationRecord } from "../rotation-records.ts";
import type {
  AdminKeyRepository,
  KeyFactsRepository,
  RotationRepositories,
  RotationRepository,
} from "../rotation-repositories.ts";
import {
  type ActsOf,
  about,
  created,
  removal,
  type Within,
  withActs,
  writeChange,
} from "./within.ts";

export function withRotationActs(
  rotation: RotationRepositories,
  within: Within,
): RotationRepositories {
  return {
    rotations: withActs(rotation.rotations, rotationActs(within)),
    keyFacts: withActs(rotation.keyFacts, keyFactActs(within)),
    adminKeys: withActs(rotation.adminKeys, adminKeyActs(within)),
    provisions: withActs(rotation.provisions, provisionActs(within)),
    usersOf: (keyId, sinceMs, limit) => rotation.usersOf(keyId, sinceMs, limit),
  };
}

function rotationActs(within: Within): ActsOf<RotationRepository> {
  return {
    insert: (record) =>
      within(async ({ rotation: { rotations } }, write) => {
        await rotations.insert(record);
        await write(created("rotation", shown(record)));
      }),
    // A try that failed changes no state, and is in the rotation's own notes.
    save: (record) =>
      within(async ({ rotation: { rotations } }, write) => {
        const before = await rotations.findById(record.id);
        const after = await rotations.save(record);
        if (before === undefined || after === undefined) return after;
        const verb = verbOf(before, after);
        if (verb === undefined) return after;
        const states = { before: shown(before), after: shown(after) };
        await writeChange({ kind: "rotation", verb, write }, states);
        return after;
      }),
  };
}

/** Undefined: nothing that is written about. */
function verbOf(before: RotationRecord, after: RotationRecord): string | undefined {
  if (before.state !== after.state) return "advanced";
  if (!isOldEnded(before.oldFate) && isOldEnded(after.oldFate)) return "oldSecretEnded";
  return lateDeletionsOf(before).length < lateDeletionsOf(after).length
    ? "leftoverDeleted"
    : undefined;
}

function lateDeletionsOf({ lateLook }: Pick<RotationRecord, "lateLook">): readonly string[] {
  return lateLook?.deleted ?? [];
}

/** What calls and steps tell of a secret is nobody's act. */
type Learned = "of" | "ofAll" | "noteOwnership" | "noteSightings" | "setRemote" | "startSecret";

function keyFactActs(within: Within): ActsOf<KeyFactsRepository, Learned> {
  return {
    setSchedule: (keyId, rotateEveryDays) =>
      within(async ({ providerKeys, rotation: { keyFacts } }, write) => {
        const key = await providerKeys.findById(keyId);
        const before = (await keyFacts.of(keyId)).rotateEveryDays;
        await keyFacts.setSchedule(keyId, rotateEveryDays);
        if (key === undefined) return;
        const named = { id: key.id, name: key.name, environmentId: key.environmentId };
        const states = {
          before: { ...named, rotateEveryDays: before },
          after: { ...named, rotateEveryDays },
        };
        await writeChange({ kind: "providerKey", verb: "scheduled", write }, states);
      }),
  };
}

function adminKeyActs(within: Within): ActsOf<AdminKeyRepository> {
  return {
    put: (record) =>
      within(async ({ providerAccounts, rotation: { adminKeys } }, write) => {
        if (!(await adminKeys.put(record))) return false;
        const { accountId: id, version, preview } = record;
        const name = (await providerAccounts.findById(id))?.name ?? null;
        const target = about("providerAccount", "adminKeySet", { id, name });
        await write({ ...target, before: null, after: JSON.stringify({ version, preview }) });
        return true;
      }),
    remove: (accountId) =>
      within(({ rotation: { adminKeys } }, write) =>
        removal(
          { kind: "providerAdminKey", write },
          async () => {
            const record = await adminKeys.find(accountId);
            return record && { id: accountId, version: record.version, preview: record.preview };
          },
          () => adminKeys.remove(accountId),
        ),
      ),
  };
}

function provisionActs(within: Within): ActsOf<ProvisionRepository> {
  return {
    insert: (record) =>
      within(async ({ rotation: { provisions } }, write) => {
        await provisions.insert(record);
        await write(created("provision", shownProvision(record)));
      }),
    save: (record) =>
      within(async ({ rotation: { provisions } }, write) => {
        const before = await provisions.findById(record.id);
        const after = await provisions.save(record);
        if (before === undefined || after === undefined) return after;
        const verb = verbOfProvision(before, after);
        if (verb === undefined) return after;
        const states = { before: shownProvision(before), after: shownProvision(after) };
        await writeChange({ kind: "provision", verb, write }, states);
        return after;
      }),
  };
}

function verbOfProvision(before: ProvisionRecord, after: ProvisionRecord): string | undefined {
  if (before.state !== after.state) return "advanced";
  return lateDeletionsOf(before).length < lateDeletionsOf(after).length
    ? "leftoverDeleted"
    : undefined;
}

function shownProvision(record: ProvisionRecord) {
  const { id, environmentId, accountId, keyId, state, problem, remoteName, projectId } = record;
  const secret = record.secret?.preview ?? null;
  const outcomes = record.outcomes.map(
    ({ limit, isSet }) => `${limit}: ${isSet ? "set" : "not set"}`,
  );
  const at = { accountId, keyId, state, problem, remoteName, projectId, secret, outcomes };
  const leftoversDeleted = lateDeletionsOf(record);
  return { id, environmentId, name: remoteName, ...at, leftoversDeleted };
}

/** Of a rotation what says how it goes; of its secrets which they are. */
function shown(record: RotationRecord) {
  const { id, keyId, environmentId, state, way, isCompromise, trigger, problem, oldFate } = record;
  const progress = { keyId, state, way, isCompromise, trigger, problem, oldFate };
  const secrets = { oldSecret: record.old.preview, newSecret: record.next?.preview ?? null };
  const leftoversDeleted = lateDeletionsOf(record);
  return { id, environmentId, ...progress, ...secrets, leftoversDeleted };
}
