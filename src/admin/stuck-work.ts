import type { ProvisionRecord } from "../store/provision-repository.ts";
import type { RotationRecord } from "../store/rotation-records.ts";
import type { Repositories } from "../store/store.ts";

/** Tries of one step, or of a late look, after which somebody should look; they come five minutes apart by then. */
const MANY_ATTEMPTS = 8;

/** Rotations and provisions that a person has to look at, open ones before those that have ended. */
export interface StuckWork {
  readonly rotations: readonly RotationRecord[];
  readonly provisions: readonly ProvisionRecord[];
}

/**
 * Those that have failed and were neither retried nor called off, those that are tried in vain, and those that have ended and
 * cannot be looked after; oldest first.
 */
export async function findStuckWork({
  rotation: { rotations, provisions },
}: Pick<Repositories, "rotation">): Promise<StuckWork> {
  const [openRotations, endedRotations, openProvisions, endedProvisions] = await Promise.all([
    rotations.listOpenIds(),
    rotations.listLookIds(),
    provisions.listOpenIds(),
    provisions.listLookIds(),
  ]);
  const findProvision = (id: ProvisionRecord["id"]) => provisions.findById(id);
  const findRotation = (id: RotationRecord["id"]) => rotations.findById(id);
  return {
    rotations: [
      ...(await pick(openRotations, findRotation, isStuck)),
      ...(await pick(endedRotations, findRotation, isLookedForInVain)),
    ],
    provisions: [
      ...(await pick(openProvisions, findProvision, isStuck)),
      ...(await pick(endedProvisions, findProvision, isLookedForInVain)),
    ],
  };
}

/** How far it has come, and what is in the way. */
export function progressOf(work: StuckWork["rotations"][number] | StuckWork["provisions"][number]) {
  const { state, failedIn, endedAtMs, isHeld, stateSinceMs: sinceMs } = work;
  const hasFailed = state === "failed";
  const open = { step: failedIn ?? state, hasFailed, isHeld, problem: work.problem };
  if (endedAtMs === null) return { ...open, hasEnded: false, sinceMs };
  const problem = work.lateLook?.problem ?? null;
  return { step: "late_look", hasFailed: false, isHeld, problem, hasEnded: true, sinceMs };
}

function isStuck({ state, attempts }: { readonly state: string; readonly attempts: number }) {
  return state === "failed" || attempts >= MANY_ATTEMPTS;
}

function isLookedForInVain({ lateLook }: Pick<RotationRecord, "lateLook">): boolean {
  return lateLook?.atMs != null && lateLook.failures >= MANY_ATTEMPTS;
}

async function pick<Id, Work>(
  ids: readonly Id[],
  find: (id: Id) => Promise<Work | undefined>,
  isMeant: (work: Work) => boolean,
): Promise<readonly Work[]> {
  const picked: Work[] = [];
  for (const id of ids) {
    const work = await find(id);
    if (work !== undefined && isMeant(work)) picked.push(work);
  }
  return picked;
}
