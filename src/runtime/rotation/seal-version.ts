import { ownershipOf } from "../../core/keys/ownership.ts";
import { previewProviderKey } from "../../core/keys/provider-key.ts";
import type { RemoteKey, RotationRecord, SecretVersion } from "../../store/rotation-records.ts";
import type { StepDeps } from "./step.ts";

/** A secret as one version of a key's, sealed under the key's id. */
export async function sealVersion(
  { vault }: Pick<StepDeps, "vault">,
  { keyId, environmentId }: Pick<RotationRecord, "keyId" | "environmentId">,
  {
    secret,
    version,
    remote,
  }: {
    readonly secret: string;
    readonly version: number;
    readonly remote: RemoteKey | null;
  },
): Promise<SecretVersion> {
  return {
    version,
    preview: previewProviderKey(secret),
    fingerprint: await vault.fingerprint(secret),
    sealed: await vault.seal(secret, { environmentId, secretId: keyId, version }),
    remote,
    ownership: ownershipOf({ secret }),
  };
}
