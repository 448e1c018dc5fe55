import { join } from "node:path";
import type { Config } from "../config/config-schema.ts";
import type { IdFactory } from "../core/ids/ids.ts";
import type { Store } from "../store/store.ts";
import { openLocalVault, type LocalVault } from "../vault/local/local-vault.ts";
import { RootKeyFileError } from "../vault/local/root-key-file.ts";
import type { RootKeySource } from "../vault/local/root-key-source.ts";
import { parseRootKey } from "../vault/local/root-key.ts";
import { WrongRootKeyError } from "../vault/vault.ts";
import { ROOT_KEY_FILE } from "./data-directory.ts";
import { StartError } from "./start-error.ts";

export interface OpenVaultDeps {
  readonly config: Pick<Config, "rootKey" | "dataDir">;
  readonly store: Store;
  readonly ids: IdFactory;
}

/**
 * Opens the vault and brings the store's schema up to date, in this order: a database that is sealed under another
 * root key is left as it is. Throws StartError.
 */
export async function openVault({ config, store, ids }: OpenVaultDeps): Promise<LocalVault> {
  const rootKey = findRootKey(config);
  try {
    const hasSchema = (await store.currentSchema()) > 0;
    if (!hasSchema) await store.migrate();
    const clock = { nowMs: Date.now };
    const vault = await openLocalVault({ rootKey, keys: store.vaultKeys, ids, clock });
    if (hasSchema) await store.migrate();
    return vault;
  } catch (err) {
    throw explain(err, rootKey);
  }
}

/** Where the root key comes from by the settings: `KEYWARD_ROOT_KEY`, else the file in the data directory. */
export function findRootKey(config: Pick<Config, "rootKey" | "dataDir">): RootKeySource {
  if (config.rootKey === null) return { kind: "file", path: join(config.dataDir, ROOT_KEY_FILE) };
  const key = parseRootKey(config.rootKey);
  if (key !== undefined) return { kind: "given", key };
  throw new StartError(
    "KEYWARD_ROOT_KEY is not a root key: expected 32 bytes as base64 or hex.",
    "Use the content of the root.key file of the installation, or unset it to have one made.",
  );
}

function explain(err: unknown, rootKey: RootKeySource): unknown {
  if (err instanceof WrongRootKeyError) {
    const { id, fingerprint } = err.needed;
    const place = rootKey.kind === "file" ? rootKey.path : "KEYWARD_ROOT_KEY";
    return new StartError(
      `The root key in ${place} has fingerprint ${err.foundFingerprint}; the vault needs root key ${id} with fingerprint ${fingerprint}.`,
      "Put that root key back, from the backup or the machine where this database was used last.",
      { cause: err },
    );
  }
  if (err instanceof RootKeyFileError) {
    return new StartError(
      `The root key cannot be used: ${err.message}.`,
      "Mend the file, then start again.",
      {
        cause: err,
      },
    );
  }
  if (err instanceof Error && /database is locked/i.test(err.message)) {
    return new StartError(
      "The database is locked: another program has been writing to it, or holds it open, for too long.",
      "End that program (a SQLite shell with an open transaction, say), then start again.",
      { cause: err },
    );
  }
  return err;
}
