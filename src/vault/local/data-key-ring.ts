import { createSecretKey, type KeyObject, randomBytes } from "node:crypto";
import type { DataKeyId } from "../../core/ids/ids.ts";
import type { DataKeyRecord } from "../../core/keys/vault-records.ts";
import { type RootKeyInfo, SealBrokenError } from "../vault.ts";
import { encodeContext, openBytes, type SealedBytes, sealBytes } from "./aead.ts";
import { type EstablishedRoot, establishRoot, type VaultParts } from "./establish-root.ts";
import type { RootKey } from "./root-key.ts";

export interface DataKey {
  readonly id: DataKeyId;
  readonly scope: string;
  readonly key: KeyObject;
}

const KEY_BYTES = 32;
const MAX_CACHED_KEYS = 1_000;
/** One for each thing that another process can do in between: create the scope's key, rotate the root key. */
const MAX_ATTEMPTS = 4;

/**
 * The data keys in clear, as far as they were needed. They do not change when the root key is rotated, so a process
 * goes on with what it holds; when it meets a key under a newer root key, it loads the root key once more.
 */
export class DataKeyRing {
  readonly #parts: VaultParts;
  #root: EstablishedRoot;
  /** Oldest use first. */
  readonly #cache = new Map<DataKeyId, DataKey>();

  constructor(parts: VaultParts, root: EstablishedRoot) {
    this.#parts = parts;
    this.#root = root;
  }

  get rootKey(): RootKeyInfo {
    return this.#root.info;
  }

  /** Undefined when there is no such data key. Throws SealBrokenError, WrongRootKeyError, RootKeyFileError. */
  async byId(id: DataKeyId): Promise<DataKey | undefined> {
    const cached = this.#cache.get(id);
    if (cached !== undefined) {
      this.#remember(cached);
      return cached;
    }
    return await this.#unwrap(() => this.#parts.keys.findDataKey(id));
  }

  /** The scope's data key, made when there is none. Throws as `byId`. */
  async byScope(scope: string): Promise<DataKey> {
    const { keys, ids, clock } = this.#parts;
    for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt += 1) {
      const found = await this.#unwrap(() => keys.findDataKeyByScope(scope));
      if (found !== undefined) return found;
      const key = createSecretKey(randomBytes(KEY_BYTES));
      const made: DataKey = { id: ids.create("dek"), scope, key };
      const isKept = await keys.insertDataKey({
        id: made.id,
        scope,
        rootKeyId: this.#root.info.id,
        ...wrapDataKey(this.#root.key, made),
        createdAtMs: clock.nowMs(),
      });
      if (isKept) return this.#remember(made);
      // Somebody else made the scope's key, or the root key was rotated; the next round sees which.
      this.#root = await establishRoot(this.#parts);
    }
    throw new Error(`the store kept refusing a data key for ${scope}`);
  }

  async #unwrap(find: () => Promise<DataKeyRecord | undefined>): Promise<DataKey | undefined> {
    for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt += 1) {
      const record = await find();
      if (record === undefined) return undefined;
      const cached = this.#cache.get(record.id);
      if (cached !== undefined) return this.#remember(cached);
      if (record.rootKeyId === this.#root.info.id) {
        return this.#remember(unwrapDataKey(this.#root.key, record));
      }
      this.#root = await establishRoot(this.#parts);
    }
    throw new Error("the root key was replaced again and again while a data key was read");
  }

  #remember(dataKey: DataKey): DataKey {
    this.#cache.delete(dataKey.id);
    this.#cache.set(dataKey.id, dataKey);
    if (this.#cache.size > MAX_CACHED_KEYS) {
      const [oldest] = this.#cache.keys();
      if (oldest !== undefined) this.#cache.delete(oldest);
    }
    return dataKey;
  }
}

/** Seals a data key under the root key, bound to its scope and id. */
export function wrapDataKey(
  root: RootKey,
  { id, scope, key }: DataKey,
): Pick<DataKeyRecord, "nonce" | "wrapped"> {
  const { nonce, ciphertext } = sealBytes(root, key.export(), wrapContext(id, scope));
  return { nonce, wrapped: ciphertext };
}

/** Throws SealBrokenError. */
export function unwrapDataKey(root: RootKey, record: DataKeyRecord): DataKey {
  const sealed: SealedBytes = { nonce: record.nonce, ciphertext: record.wrapped };
  const bytes = openBytes(root, sealed, wrapContext(record.id, record.scope));
  if (bytes?.length !== KEY_BYTES) {
    throw new SealBrokenError(
      `data key ${record.id} does not open under root key ${record.rootKeyId}: its row was altered`,
    );
  }
  const key = createSecretKey(bytes);
  bytes.fill(0);
  return { id: record.id, scope: record.scope, key };
}

function wrapContext(id: DataKeyId, scope: string): Uint8Array {
  return encodeContext("keyward data key", scope, id);
}
