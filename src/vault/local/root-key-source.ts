import { promoteNextRootKey, readRootKeyFile } from "./root-key-file.ts";
import { fingerprintRootKey, type RootKey } from "./root-key.ts";

/** Where the root key comes from: handed in (`KEYWARD_ROOT_KEY`), or a file in the data directory. */
export type RootKeySource =
  | { readonly kind: "given"; readonly key: RootKey }
  | { readonly kind: "file"; readonly path: string };

/**
 * The root key at hand; undefined when there is no file. Given the fingerprint of the store's current root key, a
 * rotation that was cut short is finished first. Throws RootKeyFileError.
 */
export async function loadRootKey(
  source: RootKeySource,
  currentFingerprint: string | undefined,
): Promise<RootKey | undefined> {
  if (source.kind === "given") return source.key;
  const key = await readRootKeyFile(source.path);
  if (currentFingerprint === undefined) return key;
  if (key !== undefined && fingerprintRootKey(key) === currentFingerprint) return key;
  await promoteNextRootKey(source.path, currentFingerprint);
  return await readRootKeyFile(source.path);
}
