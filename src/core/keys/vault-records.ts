/** The shapes that the vault and the store exchange. No secret in clear is in any of them. */
import type { DataKeyId, RootKeyId } from "../ids/ids.ts";

/** A secret as the vault sealed it: AES-256-GCM under the environment's data key. */
export interface SealedSecret {
  readonly dataKeyId: DataKeyId;
  readonly nonce: Uint8Array;
  /** Ciphertext with the 16-byte tag at its end. */
  readonly ciphertext: Uint8Array;
}

/**
 * A data key, wrapped by the root key. `scope` is an environment's id, or `fingerprints` for the fingerprint key;
 * a scope has one data key.
 */
export interface DataKeyRecord {
  readonly id: DataKeyId;
  readonly scope: string;
  readonly rootKeyId: RootKeyId;
  readonly nonce: Uint8Array;
  readonly wrapped: Uint8Array;
  readonly createdAtMs: number;
}

/** What the store remembers of a root key: never the key, only how to recognise it. */
export interface RootKeyRecord {
  readonly id: RootKeyId;
  /** First 16 hex digits of a hash of the key. */
  readonly fingerprint: string;
  readonly createdAtMs: number;
  /** Exactly one root key is current. */
  readonly isCurrent: boolean;
}

/** The root key's rotation as one change of the store. */
export interface RootKeyReplacement {
  /** The root key that `rewrapped` was unwrapped with; it must still be the current one. */
  readonly previousId: RootKeyId;
  readonly root: RootKeyRecord;
  /** Every data key there is, in its new wrapping. */
  readonly rewrapped: readonly DataKeyRecord[];
}
