import type { Ownership } from "../core/keys/ownership.ts";
import { previewProviderKey } from "../core/keys/provider-key.ts";
import type { BrokenRule } from "../core/policy/provider-key-rules.ts";
import type {
  EnvironmentRecord,
  ProviderAccountRecord,
  ProviderKeyRecord,
} from "../store/records.ts";
import { type Repositories, UniqueViolationError } from "../store/store.ts";
import type { AdminDeps } from "./admin-deps.ts";
import { isSimulated, judgeSecret } from "./judge-provider-key.ts";

export interface ProviderKeyRequest {
  readonly account: ProviderAccountRecord;
  readonly environment: EnvironmentRecord;
  readonly name: string;
  /** In clear; leaves this file sealed only. */
  readonly secret: string;
  readonly weight: number;
}

export type ProviderKeyIntake =
  | { readonly record: ProviderKeyRecord; readonly warnings: readonly string[] }
  | { readonly conflict: string; readonly param: string };

/**
 * Takes a provider's secret into the vault, if the policies of the environments that would have it let it: one key in two
 * environments is what this product is there to prevent. Within one environment no secret is active twice, ever.
 */
export async function addProviderKey(
  deps: Pick<AdminDeps, "store" | "vault" | "providers" | "ids" | "clock">,
  { account, environment, name, secret, weight }: ProviderKeyRequest,
): Promise<ProviderKeyIntake> {
  const { store, vault, ids, clock } = deps;
  const ownership = deps.providers.find(account.provider)?.ownershipOf?.({ secret });
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
    // Asked and written in one transaction: of two requests with one secret at once, one is judged by the other.
    return await store.transaction((repositories) =>
      insertJudged(repositories, {
        account,
        environment,
        record,
        ownership,
        isSimulated: isSimulated(deps.providers, account),
      }),
    );
  } catch (error) {
    if (!(error instanceof UniqueViolationError) || error.field !== "fingerprint") throw error;
    const [holder] = await store.providerKeys.findActiveByFingerprint(fingerprint);
    if (!holder) throw error;
    return describeHolder(store, holder);
  }
}

/** Makes it a key of its environment, if the policies of those that would have it let it. */
export async function insertJudged(
  repositories: Pick<Repositories, "environments" | "providerKeys" | "rotation">,
  {
    account,
    environment,
    record,
    ownership,
    isSimulated: isOfSimulator,
  }: Pick<ProviderKeyRequest, "account" | "environment"> & {
    readonly record: ProviderKeyRecord;
    readonly ownership: Ownership | undefined;
    /** Absent: not, as no key that a provider was asked to make. */
    readonly isSimulated?: boolean;
  },
): Promise<ProviderKeyIntake> {
  const { fingerprint } = record;
  const judged = { account, ownership, fingerprint, isSimulated: isOfSimulator };
  const { twin, refusal, warnings } = await judgeSecret(repositories, environment, judged);
  if (twin) return await describeHolder(repositories, twin);
  if (refusal) return { conflict: refusal.message, param: PARAMS[refusal.rule] };
  await repositories.providerKeys.insert(record);
  if (ownership !== undefined) {
    await repositories.rotation.keyFacts.noteOwnership(record.id, ownership, record.createdAtMs);
  }
  return { record, warnings };
}

const PARAMS = {
  one_environment_per_provider_key: "secret",
  no_personal_keys: "accountId",
  no_simulator_keys: "accountId",
} as const satisfies Record<BrokenRule["rule"], string>;

async function describeHolder(
  { environments }: Pick<AdminDeps["store"], "environments">,
  holder: ProviderKeyRecord,
): Promise<ProviderKeyIntake> {
  const name = (await environments.findById(holder.environmentId))?.name ?? holder.environmentId;
  const conflict = `This secret is active already as provider key \`${holder.name}\` (${holder.id}) of environment \`${name}\`. Each environment needs a secret of its own: create another at the provider, or revoke that one first.`;
  return { conflict, param: "secret" };
}
