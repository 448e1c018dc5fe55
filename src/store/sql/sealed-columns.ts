import type { DataKeyId } from "../../core/ids/ids.ts";
import type { SealedSecret } from "../../core/keys/vault-records.ts";

/** A sealed secret as it stands in three columns. */
interface SealedColumns {
  readonly data_key_id: DataKeyId;
  readonly nonce: Uint8Array;
  readonly ciphertext: Uint8Array;
}

export function toSealedColumns({ dataKeyId, nonce, ciphertext }: SealedSecret): SealedColumns {
  return { data_key_id: dataKeyId, nonce, ciphertext };
}

/** Both drivers hand out a kind of bytes of their own. */
export function fromSealedColumns(row: SealedColumns): SealedSecret {
  return {
    dataKeyId: row.data_key_id,
    nonce: new Uint8Array(row.nonce),
    ciphertext: new Uint8Array(row.ciphertext),
  };
}
