/**
 * The vault's contract: seals provider secrets and opens them again, for one environment each. It knows no
 * provider and no HTTP; a secret leaves it only through `open`.
 */
import type { DataKeyId, EnvironmentId, RootKeyId } from "../core/ids/ids.ts";
import type {
  DataKeyRecord,
  RootKeyRecord,
  RootKeyReplacement,
  SealedSecret,
} from "../core/keys/vault-records.ts";

/** What seals of providers' admin keys are bound to instead of an environment: an account is above environments. */
export const ADMINISTRATION_SCOPE = "administration";

/** What a seal is bound to (AAD): a row moved to another environment, id or version does not open. */
export interface SecretContext {
  /** An environment's id; `alerts` for the secrets of alert channels. */
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

/** Each has a key of its own. */
export type HashPurpose = "audit" | ClientTokenPurpose;
export type ClientTokenPurpose = `client tokens ${number} of ${EnvironmentId}`;

/** What an environment's client tokens are signed for; `number` tells its signing keys apart. */
export function clientTokenPurpose(
  environmentId: EnvironmentId,
  number: number,
): ClientTokenPurpose {
  return `client tokens ${number} of ${environmentId}`;
}

export interface Vault {
  readonly rootKey: RootKeyInfo;
  seal(secret: string, context: SecretContext): Promise<SealedSecret>;
  /** Throws SealBrokenError. */
  open(sealed: SealedSecret, context: SecretContext): Promise<string>;
  /** Keyed fingerprint (64 hex digits): equal for equal secrets across environments, tells nothing of them. Survives root-key rotation. */
  fingerprint(secret: string): Promise<string>;
  /**
   * A keyed hash of texts (HMAC-SHA-256, 64 hex digits) under a key of this purpose alone, for what must not be made up by
   * who can write to the database. Survives root-key rotation.
   */
  hasher(purpose: HashPurpose): Promise<(text: string) => string>;
}

/** Where the vault keeps its wrapped keys: the store's `vaultKeys` repository. */
export interface VaultKeys {
  /** False, and nothing changed, when there is a current root key already. */
  insertRootKey(record: RootKeyRecord): Promise<boolean>;
  currentRootKey(): Promise<RootKeyRecord | undefined>;
  /**
   * False, and nothing changed, when the scope has a data key already or `rootKeyId` is not the current root key.
   * Serialised against `replaceRootKey`: a data key that slips past a rotation could never be opened again.
   */
  insertDataKey(record: DataKeyRecord): Promise<boolean>;
  findDataKey(id: DataKeyId): Promise<DataKeyRecord | undefined>;
  findDataKeyByScope(scope: string): Promise<DataKeyRecord | undefined>;
  listDataKeys(): Promise<readonly DataKeyRecord[]>;
  /**
   * One transaction: every data key gets its new wrapping, `root` becomes the one current root key. False, and
   * nothing changed, when `previousId` is not current any more or `rewrapped` does not name every data key there is.
   */
  replaceRootKey(change: RootKeyReplacement): Promise<boolean>;
}
