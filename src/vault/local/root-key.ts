import { createHmac, createSecretKey, type KeyObject, randomBytes } from "node:crypto";

/** 256 bits that wrap the data keys. A KeyObject, so that no log or error prints it by accident. */
export type RootKey = KeyObject;

const KEY_BYTES = 32;
const FINGERPRINT_DIGITS = 16;

export function createRootKey(): RootKey {
  return createSecretKey(randomBytes(KEY_BYTES));
}

/**
 * Reads 32 bytes written as base64, base64url or hex, with blanks around them; undefined for anything else. Only the
 * one canonical spelling counts, so that a typing error does not silently become another key.
 */
export function parseRootKey(text: string): RootKey | undefined {
  const trimmed = text.trim();
  if (/^[0-9a-fA-F]{64}$/.test(trimmed)) return createSecretKey(Buffer.from(trimmed, "hex"));
  if (!/^[A-Za-z0-9+/_-]{43}=?$/.test(trimmed)) return undefined;
  const bytes = Buffer.from(trimmed, "base64url");
  const digits = trimmed.replace("=", "").replaceAll("+", "-").replaceAll("/", "_");
  return bytes.toString("base64url") === digits ? createSecretKey(bytes) : undefined;
}

/** The key as base64; the one place where it is written out. */
export function formatRootKey(key: RootKey): string {
  return key.export().toString("base64");
}

/** How the store recognises the key: 16 hex digits that tell nothing of it. */
export function fingerprintRootKey(key: RootKey): string {
  return createHmac("sha256", key)
    .update("keyward root key fingerprint")
    .digest("hex")
    .slice(0, FINGERPRINT_DIGITS);
}
