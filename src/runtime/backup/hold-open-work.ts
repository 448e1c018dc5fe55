import type { ProvisionId, RotationId } from "../../core/ids/ids.ts";
import { holdProvision } from "../../core/provisioning/provision.ts";
import type { LateLook } from "../../core/resumable/late-look.ts";
import { noted, type Note } from "../../core/resumable/resumable.ts";
import { holdRotation } from "../../core/rotation/rotation.ts";
import type { AuditedStore } from "../../store/audited-store.ts";
import type { ProvisionRecord } from "../../store/provision-repository.ts";
import type { RotationRecord } from "../../store/rotation-records.ts";

/** A key that was rotated by itself, and is not any more. */
interface EndedSchedule {
  readonly keyId: string;
  readonly name: string;
  readonly rotateEveryDays: number;
}

export interface HeldWork {
  readonly heldRotations: number;
  readonly heldProvisions: number;
  /** Ended ones for which something would have been looked for at the provider, and deleted. */
  readonly droppedLooks: number;
  readonly endedSchedules: readonly EndedSchedule[];
}

/**
 * What was put back from a backup does nothing at a provider that a person has not asked for since. The installation that the
 * backup is of may be alive: it has finished what is open here, under the same names, and calls with what it made.
 */
export async function holdOpenWork(store: AuditedStore, nowMs: number): Promise<HeldWork> {
  return {
    heldRotations: await holdRotations(store, nowMs),
    heldProvisions: await holdProvisions(store, nowMs),
    droppedLooks: await dropLooks(store, nowMs),
    endedSchedules: await endSchedules(store),
  };
}

async function holdRotations(
  { rotation: { rotations, adminKeys } }: AuditedStore,
  nowMs: number,
): Promise<number> {
  let held = 0;
  for (const id of await rotations.listOpenIds()) {
    const found = await rotations.findById(id);
    if (found === undefined || found.isHeld) continue;
    // With a pasted secret and no admin key the provider is asked to change nothing.
    const isAsking =
      found.way === "automatic" || (await adminKeys.find(found.accountId)) !== undefined;
    if (isAsking && (await rotations.save(holdRotation(found, nowMs))) !== undefined) held += 1;
  }
  return held;
}

async function holdProvisions(
  { rotation: { provisions } }: AuditedStore,
  nowMs: number,
): Promise<number> {
  let held = 0;
  for (const id of await provisions.listOpenIds()) {
    const found = await provisions.findById(id);
    if (found === undefined || found.isHeld) continue;
    if ((await provisions.save(holdProvision(found, nowMs))) !== undefined) held += 1;
  }
  return held;
}

async function dropLooks(
  { rotation: { rotations, provisions } }: AuditedStore,
  nowMs: number,
): Promise<number> {
  const inRotations = await dropAll<RotationId, RotationRecord>(rotations, nowMs);
  return inRotations + (await dropAll<ProvisionId, ProvisionRecord>(provisions, nowMs));
}

interface Ended {
  readonly remoteName: string;
  readonly lateLook: LateLook | null;
  readonly state: string;
  readonly notes: readonly Note<string>[];
}

interface EndedWork<Id, Work> {
  listLookIds(): Promise<readonly Id[]>;
  findById(id: Id): Promise<Work | undefined>;
  save(work: Work): Promise<Work | undefined>;
}

/** As many at a time as are listed; what stays on the list is looked after for another reason. */
async function dropAll<Id, Work extends Ended>(
  ended: EndedWork<Id, Work>,
  nowMs: number,
): Promise<number> {
  let dropped = 0;
  for (;;) {
    let turn = 0;
    for (const id of await ended.listLookIds()) {
      const found = await ended.findById(id);
      if (found?.lateLook?.atMs == null) continue;
      const text = `put back from a backup: whether the provider has made another ${found.remoteName} is not looked up any more`;
      const lateLook = { ...found.lateLook, atMs: null };
      if ((await ended.save(noted({ ...found, lateLook }, text, nowMs))) !== undefined) turn += 1;
    }
    if (turn === 0) return dropped;
    dropped += turn;
  }
}

async function endSchedules({
  providerKeys,
  rotation: { keyFacts },
}: AuditedStore): Promise<readonly EndedSchedule[]> {
  const ended: EndedSchedule[] = [];
  for (;;) {
    const scheduled = await keyFacts.listScheduled();
    if (scheduled.length === 0) return ended;
    for (const { keyId, rotateEveryDays } of scheduled) {
      await keyFacts.setSchedule(keyId, null);
      const name = (await providerKeys.findById(keyId))?.name ?? keyId;
      if (rotateEveryDays !== null) ended.push({ keyId, name, rotateEveryDays });
    }
  }
}
