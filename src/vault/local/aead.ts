import { createCipheriv, createDecipheriv, type KeyObject, randomBytes } from "node:crypto";

/** AES-256-GCM with a fresh random nonce; the tag stands at the ciphertext's end. */
export interface SealedBytes {
  readonly nonce: Uint8Array;
  readonly ciphertext: Uint8Array;
}

const ALGORITHM = "aes-256-gcm";
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/**
 * Seals under a key, bound to `context`. Random 96-bit nonces are safe for 2^32 messages under one key (NIST SP
 * 800-38D, 8.3); a data key seals provider secrets and a root key data keys, which is some thousands in a lifetime.
 */
export function sealBytes(key: KeyObject, plain: Uint8Array, context: Uint8Array): SealedBytes {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(ALGORITHM, key, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(context);
  const body = [cipher.update(plain), cipher.final(), cipher.getAuthTag()];
  return { nonce, ciphertext: Buffer.concat(body) };
}

/** Undefined when key, context, nonce or ciphertext is not what it was sealed with. */
export function openBytes(
  key: KeyObject,
  sealed: SealedBytes,
  context: Uint8Array,
): Buffer | undefined {
  const bodyLength = sealed.ciphertext.length - TAG_BYTES;
  if (sealed.nonce.length !== NONCE_BYTES || bodyLength < 0) return undefined;
  const decipher = createDecipheriv(ALGORITHM, key, sealed.nonce, { authTagLength: TAG_BYTES });
  decipher.setAAD(context);
  decipher.setAuthTag(sealed.ciphertext.subarray(bodyLength));
  const body = decipher.update(sealed.ciphertext.subarray(0, bodyLength));
  try {
    return Buffer.concat([body, decipher.final()]);
  } catch {
    // The one reason final() has to throw here: the tag does not match.
    return undefined;
  }
}

/** Parts as one unambiguous byte string (a JSON array), to bind a seal to. */
export function encodeContext(...parts: readonly (string | number)[]): Uint8Array {
  return Buffer.from(JSON.stringify(parts));
}
