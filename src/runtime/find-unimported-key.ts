import type { FoundOpenaiKey } from "../config/import-openai-key.ts";
import { previewProviderKey } from "../core/keys/provider-key.ts";
import type { Store } from "../store/store.ts";
import type { Vault } from "../vault/vault.ts";

/** A key that the app's environment or files hold and the vault does not. Holds no secret. */
export interface UnimportedKey {
  readonly where: string;
  readonly preview: string;
  /** It is for a server of its own, not for OpenAI. */
  readonly hasBaseUrl: boolean;
}

export interface VaultParts {
  readonly store: Pick<Store, "providerKeys">;
  readonly vault: Pick<Vault, "fingerprint">;
}

/** What was found, unless it is a provider key of some environment already. */
export async function findUnimportedKey(
  parts: VaultParts,
  found: FoundOpenaiKey | undefined,
): Promise<UnimportedKey | undefined> {
  if (found === undefined || (await holdsSecret(parts, found.secret))) return undefined;
  const { where, secret, baseUrl } = found;
  return { where, preview: previewProviderKey(secret), hasBaseUrl: baseUrl !== null };
}

/** Whether the secret is active as a provider key, of whichever environment. Changes nothing. */
export async function holdsSecret({ store, vault }: VaultParts, secret: string): Promise<boolean> {
  // The vault makes its fingerprint key when it is first asked: it is not asked for nothing.
  const { rows } = await store.providerKeys.list({ limit: 1 });
  if (rows.length === 0) return false;
  const active = await store.providerKeys.findActiveByFingerprint(await vault.fingerprint(secret));
  return active.length > 0;
}
