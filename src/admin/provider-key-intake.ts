import { previewProviderKey } from "../core/keys/provider-key.ts";
import type {
  EnvironmentRecord,
  ProviderAccountRecord,
  ProviderKeyRecord,
} from "../store/records.ts";
import { UniqueViolationError } from "../store/store.ts";
import type { AdminDeps } from "./admin-deps.ts";

export interface ProviderKeyRequest {
  readonly account: ProviderAccountRecord;
  readonly environment: EnvironmentRecord;
  readonly name: string;
  /** In clear; leaves this file sealed only. */
  readonly secret: string;
  readonly weight: number;
}

export type ProviderKeyIntake =
  | { readonly record: ProviderKeyRecord }
  | { readonly conflict: string; readonly param: string };

/**
 * Takes a provider's secret into the vault, if policy lets it: no personal account's key in production, and no secret
 * twice, since one key in two environments is what this product is there to prevent.
 */
export async function addProviderKey(
  {
    store,
    vault,
    providers,
    ids,
    clock,
  }: Pick<AdminDeps, "store" | "vault" | "providers" | "ids" | "clock">,
  { account, environment, name, secret, weight }: ProviderKeyRequest,
): Promise<ProviderKeyIntake> {
  if (account.kind === "personal" && environment.kind === "production") {
    const conflict = `The provider account \`${account.name}\` is personal, and \`${environment.name}\` is of kind production. Add an account of kind organization, and a key of it.`;
    return { conflict, param: "accountId" };
  }
  const fingerprint = await vault.fingerprint(secret);
  const id = ids.create("pky");
  const version = 1;
  const context = { environmentId: environment.id, secretId: id, version };
  const record: ProviderKeyRecord = {
    id,
    accountId: account.id,
    environmentId: environment.id,
    name,
    version,
    sealed: await vault.seal(secret, context),
    fingerprint,
    weight,
    preview: previewProviderKey(secret),
    createdAtMs: clock.nowMs(),
    revokedAtMs: null,
  };
  try {
    // Asked and written in one transaction: of two requests with one secret at once, one is refused.
    const holder = await store.transaction(async (repositories) => {
      const [active] = await repositories.providerKeys.findActiveByFingerprint(fingerprint);
      if (!active) {
        await repositories.providerKeys.insert(record);
        const ownership = providers.find(account.provider)?.ownershipOf?.({ secret });
        if (ownership !== undefined) {
          await repositories.rotation.keyFacts.noteOwnership(id, ownership, record.createdAtMs);
        }
      }
      return active;
    });
    return holder ? await describeHolder(store, holder) : { record };
  } catch (error) {
    if (!(error instanceof UniqueViolationError) || error.field !== "fingerprint") throw error;
    const [holder] = await store.providerKeys.findActiveByFingerprint(fingerprint);
    if (!holder) throw error;
    return describeHolder(store, holder);
  }
}

async function describeHolder(
  { environments }: Pick<AdminDeps["store"], "environments">,
  holder: ProviderKeyRecord,
): Promise<ProviderKeyIntake> {
  const name = (await environments.findById(holder.environmentId))?.name ?? holder.environmentId;
  const conflict = `This secret is active already as provider key \`${holder.name}\` (${holder.id}) of environment \`${name}\`. Each environment needs a secret of its own: create another at the provider, or revoke that one first.`;
  return { conflict, param: "secret" };
}
