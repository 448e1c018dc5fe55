import type { DataKeyRecord, RootKeyRecord } from "../../core/keys/vault-records.ts";
import type { RootKeyInfo } from "../vault.ts";
import { unwrapDataKey, wrapDataKey } from "./data-key-ring.ts";
import { type EstablishedRoot, establishRoot, tidyUp, type VaultParts } from "./establish-root.ts";
import { promoteNextRootKey, removeNextRootKey, writeNextRootKey } from "./root-key-file.ts";
import { createRootKey, fingerprintRootKey, type RootKey } from "./root-key.ts";

export interface RotateRootKeyOptions extends VaultParts {
  /** Required when the root key is given: the new one is the caller's to keep and to set. A file gets one drawn. */
  readonly newRootKey?: RootKey;
}

export interface RootKeyRotation {
  readonly previous: RootKeyInfo;
  readonly current: RootKeyInfo;
  /** How many were wrapped anew. */
  readonly dataKeys: number;
}

/** Somebody else rotated the root key meanwhile; their key is current, and nothing was changed here. */
export class RootKeyRotatedError extends Error {}

interface NextRoot {
  readonly record: RootKeyRecord;
  readonly key: RootKey;
}

/** Data keys may be created while a rotation wraps the others; not this often in a row. */
const MAX_ATTEMPTS = 5;

/**
 * Wraps every data key under a new root key. Secrets are not touched, their data keys stay the same; processes that
 * run go on. May be killed anywhere: before the store's transaction the old key counts, after it the new one, and with
 * a key file both are on disk until the next opening has put the right one in place.
 */
export async function rotateRootKey(options: RotateRootKeyOptions): Promise<RootKeyRotation> {
  const { rootKey, ids, clock } = options;
  const previous = await establishRoot(options);
  const next = nextKey(options, previous);
  const record: RootKeyRecord = {
    id: ids.create("rtk"),
    fingerprint: fingerprintRootKey(next),
    createdAtMs: clock.nowMs(),
    isCurrent: true,
  };
  if (rootKey.kind === "file") await writeNextRootKey(rootKey.path, previous.key, next);
  const dataKeys = await commit(options, previous, { record, key: next });
  if (rootKey.kind === "file") await promoteNextRootKey(rootKey.path, record.fingerprint);
  await tidyUp(options);
  const current = { id: record.id, fingerprint: record.fingerprint };
  return { previous: previous.info, current, dataKeys };
}

function nextKey(options: RotateRootKeyOptions, previous: EstablishedRoot): RootKey {
  if (options.newRootKey === undefined && options.rootKey.kind === "given") {
    throw new TypeError("the new root key must be given when the old one was");
  }
  const key = options.newRootKey ?? createRootKey();
  if (fingerprintRootKey(key) === previous.info.fingerprint) {
    throw new RangeError("the new root key is the old one");
  }
  return key;
}

/** Returns how many data keys were wrapped anew. */
async function commit(
  { rootKey, keys }: RotateRootKeyOptions,
  previous: EstablishedRoot,
  next: NextRoot,
): Promise<number> {
  let isInDoubt = false;
  try {
    for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt += 1) {
      if ((await keys.currentRootKey())?.id !== previous.info.id) break;
      const wrappings = await keys.listDataKeys();
      if (wrappings.some(({ rootKeyId }) => rootKeyId !== previous.info.id)) continue;
      const rewrapped = wrappings.map((wrapping) => rewrap(wrapping, previous, next));
      isInDoubt = true;
      const change = { previousId: previous.info.id, root: next.record, rewrapped };
      if (await keys.replaceRootKey(change)) return rewrapped.length;
      isInDoubt = false;
    }
    throw new RootKeyRotatedError(
      `root key ${previous.info.id} was replaced by another process; run the rotation again if it is still needed`,
    );
  } catch (error) {
    // When the store's answer was lost it may have committed: then the file stays, and the next opening decides.
    if (!isInDoubt && rootKey.kind === "file") {
      await removeNextRootKey(rootKey.path, previous.key, next.key);
    }
    throw error;
  }
}

function rewrap(wrapping: DataKeyRecord, previous: EstablishedRoot, next: NextRoot): DataKeyRecord {
  const wrapped = wrapDataKey(next.key, unwrapDataKey(previous.key, wrapping));
  return { ...wrapping, rootKeyId: next.record.id, ...wrapped };
}
