import type { ProvisionRecord } from "../store/provision-repository.ts";
import type { RotationRecord } from "../store/rotation-records.ts";
import type { Repositories } from "../store/store.ts";

/** Tries of one step after which somebody should look; they come five minutes apart by then. */
const MANY_ATTEMPTS = 8;

/** Rotations and provisions that a person has to look at. */
export interface StuckWork {
  readonly rotations: readonly RotationRecord[];
  readonly provisions: readonly ProvisionRecord[];
}

/** Those that have failed and were neither retried nor called off, and those that are tried in vain; oldest first. */
export async function findStuckWork({
  rotation: { rotations, provisions },
}: Pick<Repositories, "rotation">): Promise<StuckWork> {
  const [openRotations, openProvisions] = await Promise.all([
    rotations.listOpenIds(),
    provisions.listOpenIds(),
  ]);
  return {
    rotations: await pickStuck(openRotations, (id) => rotations.findById(id)),
    provisions: await pickStuck(openProvisions, (id) => provisions.findById(id)),
  };
}

async function pickStuck<Id, Work extends { readonly state: string; readonly attempts: number }>(
  ids: readonly Id[],
  find: (id: Id) => Promise<Work | undefined>,
): Promise<readonly Work[]> {
  const stuck: Work[] = [];
  for (const id of ids) {
    const work = await find(id);
    if (work === undefined) continue;
    if (work.state === "failed" || work.attempts >= MANY_ATTEMPTS) stuck.push(work);
  }
  return stuck;
}
