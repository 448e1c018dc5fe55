import { createHmac } from "node:crypto";
import type { SealedSecret } from "../../core/keys/vault-records.ts";
import {
  type HashPurpose,
  type RootKeyInfo,
  SealBrokenError,
  type SecretContext,
  type Vault,
} from "../vault.ts";
import { encodeContext, openBytes, sealBytes } from "./aead.ts";
import { DataKeyRing } from "./data-key-ring.ts";
import { establishRoot, type VaultParts } from "./establish-root.ts";

const FINGERPRINT_SCOPE = "fingerprints";
const HASHES = "hashes of ";

/**
 * Opens the vault, and sets it up on first use. Throws WrongRootKeyError when the root key at hand is not the one the
 * data was sealed under, RootKeyFileError when its file cannot be used.
 */
export async function openLocalVault(parts: VaultParts): Promise<LocalVault> {
  return new LocalVault(new DataKeyRing(parts, await establishRoot(parts)));
}

/** AES-256-GCM in this process: root key → one data key per environment → secret. */
export class LocalVault implements Vault {
  readonly #ring: DataKeyRing;

  constructor(ring: DataKeyRing) {
    this.#ring = ring;
  }

  get rootKey(): RootKeyInfo {
    return this.#ring.rootKey;
  }

  async seal(secret: string, context: SecretContext): Promise<SealedSecret> {
    // A lone surrogate would come back as another character.
    if (!secret.isWellFormed()) throw new TypeError("a secret must be well-formed text");
    // Keys of these scopes seal nothing.
    if (context.environmentId === FINGERPRINT_SCOPE || context.environmentId.startsWith(HASHES)) {
      throw new RangeError(`${context.environmentId} is no environment`);
    }
    const dataKey = await this.#ring.byScope(context.environmentId);
    const bound = secretContext(context, dataKey.id);
    return { dataKeyId: dataKey.id, ...sealBytes(dataKey.key, Buffer.from(secret), bound) };
  }

  async open(sealed: SealedSecret, context: SecretContext): Promise<string> {
    const dataKey = await this.#ring.byId(sealed.dataKeyId);
    const bound = secretContext(context, sealed.dataKeyId);
    const isOwnKey = dataKey?.scope === context.environmentId;
    const plain = isOwnKey ? openBytes(dataKey.key, sealed, bound) : undefined;
    if (plain === undefined) {
      throw new SealBrokenError(
        `secret ${context.secretId} version ${context.version} does not open in ${context.environmentId}: its row was altered or moved`,
      );
    }
    return plain.toString("utf8");
  }

  async fingerprint(secret: string): Promise<string> {
    const dataKey = await this.#ring.byScope(FINGERPRINT_SCOPE);
    return createHmac("sha256", dataKey.key).update(secret).digest("hex");
  }

  async hasher(purpose: HashPurpose): Promise<(text: string) => string> {
    const { key } = await this.#ring.byScope(scopeOf(purpose));
    return (text) => createHmac("sha256", key).update(text).digest("hex");
  }
}

function scopeOf(purpose: HashPurpose): string {
  return HASHES + purpose;
}

function secretContext(context: SecretContext, dataKeyId: string): Uint8Array {
  const { environmentId, secretId, version } = context;
  return encodeContext("keyward secret", environmentId, secretId, version, dataKeyId);
}
