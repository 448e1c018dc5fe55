import { awaitsRevocation } from "../core/rotation/old-secret.ts";
import type { RotationRecord } from "../store/rotation-records.ts";
import type { Repositories } from "../store/store.ts";

/** Rotations that have ended, of stolen secrets that may still be valid at their provider. */
export async function listStolenSecrets({
  rotation: { rotations },
}: Pick<Repositories, "rotation">): Promise<readonly RotationRecord[]> {
  const stolen: RotationRecord[] = [];
  for (const id of await rotations.listLookIds()) {
    const record = await rotations.findById(id);
    if (record !== undefined && awaitsRevocation(record)) stolen.push(record);
  }
  return stolen;
}
