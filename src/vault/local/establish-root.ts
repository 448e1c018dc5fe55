import type { IdFactory } from "../../core/ids/ids.ts";
import type { RootKeyRecord } from "../../core/keys/vault-records.ts";
import { type RootKeyInfo, type VaultKeys, WrongRootKeyError } from "../vault.ts";
import { createRootKeyFile, removeWasteNextKeys, RootKeyFileError } from "./root-key-file.ts";
import { loadRootKey, type RootKeySource } from "./root-key-source.ts";
import { createRootKey, fingerprintRootKey, type RootKey } from "./root-key.ts";

/** What the vault works with: the root key, the store's keys, and where ids and time come from. */
export interface VaultParts {
  readonly rootKey: RootKeySource;
  readonly keys: VaultKeys;
  readonly ids: Pick<IdFactory, "create">;
  readonly clock: { nowMs(): number };
}

/** The current root key as the store names it, with the key itself. */
export interface EstablishedRoot {
  readonly info: RootKeyInfo;
  readonly key: RootKey;
}

/** Another process may rotate between our look at the store and our look at the file; not this often in a row. */
const MAX_ATTEMPTS = 3;

/**
 * The root key at hand, proved to be the store's current one. An empty store gets one: the given key, or the file's,
 * or a new file's. Two processes may do so at once: one creates the file (a link does not replace), the store takes
 * one root key, and both go on with what is there then. Throws WrongRootKeyError, RootKeyFileError.
 */
export async function establishRoot(parts: VaultParts): Promise<EstablishedRoot> {
  for (let attempt = 1; ; attempt += 1) {
    const record = (await parts.keys.currentRootKey()) ?? (await initialise(parts));
    const info = { id: record.id, fingerprint: record.fingerprint };
    const key = await loadRootKey(parts.rootKey, info.fingerprint);
    if (key !== undefined && fingerprintRootKey(key) === info.fingerprint) {
      await tidyUp(parts);
      return { info, key };
    }
    const isUnchanged = (await parts.keys.currentRootKey())?.id === info.id;
    if (isUnchanged || attempt === MAX_ATTEMPTS) throw wrongKey(parts.rootKey, info, key);
  }
}

async function initialise({ rootKey, keys, ids, clock }: VaultParts): Promise<RootKeyRecord> {
  let key = await loadRootKey(rootKey, undefined);
  if (key === undefined && rootKey.kind === "file") {
    await createRootKeyFile(rootKey.path, createRootKey());
    key = await loadRootKey(rootKey, undefined);
  }
  if (key === undefined) throw new Error("the root key file went away while it was made");
  await keys.insertRootKey({
    id: ids.create("rtk"),
    fingerprint: fingerprintRootKey(key),
    createdAtMs: clock.nowMs(),
    isCurrent: true,
  });
  const record = await keys.currentRootKey();
  if (record === undefined) throw new Error("the store did not keep the root key's record");
  return record;
}

/** Removes what rotations that were killed have left beside the key file. */
export async function tidyUp({ rootKey, keys }: VaultParts): Promise<void> {
  if (rootKey.kind !== "file") return;
  await removeWasteNextKeys(rootKey.path, async () => (await keys.currentRootKey())?.fingerprint);
}

function wrongKey(source: RootKeySource, needed: RootKeyInfo, found: RootKey | undefined): Error {
  if (found !== undefined) return new WrongRootKeyError(needed, fingerprintRootKey(found));
  const path = source.kind === "file" ? source.path : "";
  return new RootKeyFileError(
    `the root key file ${path} is missing; the vault was sealed under root key ${needed.id} (fingerprint ${needed.fingerprint}): put that file back, or give its content as KEYWARD_ROOT_KEY`,
  );
}
