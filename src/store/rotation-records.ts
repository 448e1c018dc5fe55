/** The rows of provider keys' rotations, and of what is known of the keys at their providers, see records.ts. */
import type {
  EnvironmentId,
  GatewayKeyId,
  ProviderAccountId,
  ProviderKeyId,
  RotationId,
} from "../core/ids/ids.ts";
import type { Ownership } from "../core/keys/ownership.ts";
import type { SealedSecret } from "../core/keys/vault-records.ts";
import type { LateLook } from "../core/resumable/late-look.ts";
import type { Note } from "../core/resumable/resumable.ts";
import type {
  OldSecretFate,
  RotationProgress,
  RotationState,
  RotationTrigger,
} from "../core/rotation/rotation.ts";

/** What a provider calls one of its keys; none of it is secret. */
export interface RemoteKey {
  /** The provider's id of the key. */
  readonly keyId: string;
  readonly projectId: string;
  /** Null: a person's key. */
  readonly serviceAccountId: string | null;
}

/** One of the secrets that a key has had. */
export interface SecretVersion {
  readonly version: number;
  readonly preview: string;
  readonly fingerprint: string;
  /** Under the key's id and this version. Null: it is the key's own now, or was deleted for good. */
  readonly sealed: SealedSecret | null;
  /** Null: not known at the provider. */
  readonly remote: RemoteKey | null;
  readonly ownership: Ownership;
}

export type RotationNote = Note<RotationState>;

export interface RotationRecord extends RotationProgress {
  readonly id: RotationId;
  readonly keyId: ProviderKeyId;
  readonly accountId: ProviderAccountId;
  readonly environmentId: EnvironmentId;
  /** Counts the changes of the record; who changes it says which one it has seen. */
  readonly revision: number;
  readonly trigger: RotationTrigger;
  /** What the provider is told to call the new key: no other rotation has this name. */
  readonly remoteName: string;
  readonly old: SecretVersion;
  /** Null until there is one. */
  readonly next: SecretVersion | null;
  /** The provider was told to let the old secret end by itself. */
  readonly isOldExpiring: boolean;
  /** Null until it has ended. */
  readonly oldFate: OldSecretFate | null;
  /** When a stolen secret that may still be valid is tried next, see awaitsRevocation; its seal is kept until then. */
  readonly oldCheckAtMs: number | null;
  /** Since when each try of it was refused by a provider that does not say why; null: the last one was not. */
  readonly oldRefusedAtMs: number | null;
  /** It was put back from a backup: nothing is done for it before a person says so. */
  readonly isHeld: boolean;
  /** Null until it has ended, and where the provider was asked for no key. */
  readonly lateLook: LateLook | null;
  /** What happened, oldest first; at most MAX_ROTATION_NOTES. */
  readonly notes: readonly RotationNote[];
  readonly createdBy: string;
  readonly createdAtMs: number;
}

export const MAX_ROTATION_NOTES = 100;

/** What is known of a key and its present secret, beyond what it was added with. */
export interface KeyFactsRecord {
  readonly keyId: ProviderKeyId;
  readonly ownership: Ownership;
  readonly ownershipSeenAtMs: number | null;
  readonly remote: RemoteKey | null;
  /** Since when it has its present secret; null: since it was added. */
  readonly secretSinceMs: number | null;
  /** Null: nobody wants it rotated by itself. */
  readonly rotateEveryDays: number | null;
  /** The newest version of its secret with which a call was answered, and when first. */
  readonly worked: SecretSighting | null;
  /** The newest version that the provider refused, and when first. */
  readonly refused: SecretSighting | null;
}

export interface SecretSighting {
  readonly version: number;
  readonly atMs: number;
}

/** The secret with which a provider is asked to manage its keys. */
export interface AdminKeyRecord {
  readonly accountId: ProviderAccountId;
  readonly version: number;
  /** Under the account's id and version, in the scope `administration`. */
  readonly sealed: SealedSecret;
  readonly preview: string;
  /** The vault's; null for one that was set before they were kept. */
  readonly fingerprint: string | null;
  readonly createdBy: string;
  readonly createdAtMs: number;
}

/** Who called with a key, and how often. */
export interface KeyUser {
  readonly gatewayKeyId: GatewayKeyId;
  readonly customer: string | null;
  readonly calls: number;
  readonly firstUsedAtMs: number;
  readonly lastUsedAtMs: number;
}
