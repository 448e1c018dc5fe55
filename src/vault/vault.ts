/**
 * The vault's contract: seals provider secrets and opens them again, for one environment each. It knows no
 * provider and no HTTP; a secret leaves it only through `open`.
 */
import type { DataKeyId, RootKeyId } from "../core/ids/ids.ts";
import type { DataKeyRecord, RootKeyRecord, SealedSecret } from "../core/keys/vault-records.ts";

/** What a seal is bound to (AAD): a row moved to another environment, id or version does not open. */
export interface SecretContext {
  readonly environmentId: string;
  readonly secretId: string;
  readonly version: number;
}

export interface RootKeyInfo {
  readonly id: RootKeyId;
  /** First 16 hex digits of a hash of the key. */
  readonly fingerprint: string;
}

/** The root key at hand is not the one the data was sealed under. Names the one that is needed. */
export class WrongRootKeyError extends Error {
  readonly needed: RootKeyInfo;
  readonly foundFingerprint: string;
  constructor(needed: RootKeyInfo, foundFingerprint: string) {
    super(
      `the vault was sealed under root key ${needed.id} (fingerprint ${needed.fingerprint}); the key at hand has fingerprint ${foundFingerprint}`,
    );
    this.needed = needed;
    this.foundFingerprint = foundFingerprint;
  }
}

/** A sealed secret does not open: the row was altered, moved, or belongs to another vault. */
export class SealBrokenError extends Error {}

export interface Vault {
  readonly rootKey: RootKeyInfo;
  seal(secret: string, context: SecretContext): Promise<SealedSecret>;
  /** Throws SealBrokenError. */
  open(sealed: SealedSecret, context: SecretContext): Promise<string>;
  /** Keyed fingerprint (64 hex digits): equal for equal secrets across environments, tells nothing of them. Survives root-key rotation. */
  fingerprint(secret: string): Promise<string>;
}

/** Where the vault keeps its wrapped keys: the store's `vaultKeys` repository. */
export interface VaultKeys {
  insertRootKey(record: RootKeyRecord): Promise<void>;
  currentRootKey(): Promise<RootKeyRecord | undefined>;
  insertDataKey(record: DataKeyRecord): Promise<void>;
  findDataKey(id: DataKeyId): Promise<DataKeyRecord | undefined>;
  /** The newest data key of a scope. */
  findDataKeyByScope(scope: string): Promise<DataKeyRecord | undefined>;
  listDataKeys(): Promise<readonly DataKeyRecord[]>;
  /** One transaction: every data key gets its new wrapping, `root` becomes the current root key. All or nothing. */
  replaceRootKey(root: RootKeyRecord, rewrapped: readonly DataKeyRecord[]): Promise<void>;
}
