import type { ProviderKeyId } from "../../core/ids/ids.ts";
import type { ProviderKeyRecord } from "../../store/records.ts";
import type { Store } from "../../store/store.ts";

/** A provider key to which a database that was put back gives a secret again that was replaced since. */
export interface RevivedSecret {
  readonly id: ProviderKeyId;
  readonly name: string;
  /** It was replaced, or was to be, because it was in wrong hands. */
  readonly isStolen: boolean;
}

/** An entry of the audit log, as it came after the backup. */
export interface SecretChange {
  readonly sequence: number;
  readonly action: string;
  readonly targetId: string;
  readonly after: string | null;
}

/** The actions of the entries that tell of it. */
export const SECRET_ACTIONS: ReadonlySet<string> = new Set([
  "providerKey.rotated",
  "rotation.created",
]);

/** Those that are not revoked, stolen secrets first, each kind by name. */
export async function findRevivedSecrets(
  store: Pick<Store, "providerKeys" | "rotation">,
  changes: readonly SecretChange[],
): Promise<readonly RevivedSecret[]> {
  const { lastRotations, stolen } = sortChanges(changes);
  const found: RevivedSecret[] = [];
  for (const id of new Set([...lastRotations.keys(), ...stolen.keys()])) {
    const key = await store.providerKeys.findById(id);
    // One that was added after the backup is not there at all.
    if (key === undefined || key.revokedAtMs !== null) continue;
    const isStolen =
      stolen.get(id)?.has(key.preview) === true || (await isBeingReplaced(store, key));
    const last = lastRotations.get(id);
    const isRevived = last !== undefined && isOther(last, key);
    if (isRevived || isStolen) found.push({ id, name: key.name, isStolen });
  }
  return found.toSorted(
    (one, other) =>
      Number(other.isStolen) - Number(one.isStolen) || one.name.localeCompare(other.name),
  );
}

interface SecretAfter {
  readonly version?: number;
  /** Left out where it is as before. */
  readonly preview?: string;
}

interface RotationBegun {
  readonly keyId?: ProviderKeyId;
  readonly isCompromise?: boolean;
  readonly oldSecret?: string;
}

function sortChanges(changes: readonly SecretChange[]) {
  const lastRotations = new Map<ProviderKeyId, SecretAfter>();
  /** By key the previews of secrets in wrong hands. */
  const stolen = new Map<ProviderKeyId, Set<string>>();
  for (const { action, targetId, after } of changes.toSorted(
    (one, other) => one.sequence - other.sequence,
  )) {
    const fields: unknown = JSON.parse(after ?? "{}");
    if (action === "providerKey.rotated") {
      lastRotations.set(targetId as ProviderKeyId, fields as SecretAfter);
    } else if (action === "rotation.created") {
      const { keyId, isCompromise, oldSecret } = fields as RotationBegun;
      if (keyId === undefined || oldSecret === undefined || isCompromise !== true) continue;
      const previews = stolen.get(keyId) ?? new Set();
      stolen.set(keyId, previews.add(oldSecret));
    }
  }
  return { lastRotations, stolen };
}

/** A rotation that went back to the old secret has counted its version up as well. */
function isOther({ version, preview }: SecretAfter, key: ProviderKeyRecord): boolean {
  return (version ?? 0) > key.version && preview !== key.preview;
}

/** The backup was made while a rotation was under way, which the entries after it tell only the rest of. */
async function isBeingReplaced(
  { rotation }: Pick<Store, "rotation">,
  { fingerprint }: ProviderKeyRecord,
): Promise<boolean> {
  return (await rotation.rotations.findByOldSecret(fingerprint))?.isCompromise === true;
}
