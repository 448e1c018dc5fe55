import type { DataKeyId } from "../../../core/ids/ids.ts";
import type { SecretVersion } from "../../rotation-records.ts";
import { fromSealedColumns } from "../sealed-columns.ts";

/** One of a key's secrets as it is kept: what is known of it as JSON, its seal in three columns beside that. */
type KeptSecret = Omit<SecretVersion, "sealed">;

/** For the JSON. */
export function withoutSeal(secret: SecretVersion): KeptSecret {
  const { version, preview, fingerprint, remote, ownership } = secret;
  return { version, preview, fingerprint, remote, ownership };
}

export function readSecretVersion(
  json: string,
  {
    dataKeyId,
    nonce,
    ciphertext,
  }: {
    readonly dataKeyId: DataKeyId | null;
    readonly nonce: Uint8Array | null;
    readonly ciphertext: Uint8Array | null;
  },
): SecretVersion {
  const isSealed = dataKeyId !== null && nonce !== null && ciphertext !== null;
  return {
    ...(JSON.parse(json) as KeptSecret),
    sealed: isSealed ? fromSealedColumns({ data_key_id: dataKeyId, nonce, ciphertext }) : null,
  };
}
