import type { OldSecretAnswer } from "../core/rotation/old-secret.ts";
import type { KeyAdministration } from "../providers/key-administration.ts";
import type { ProviderAccountRecord } from "../store/records.ts";
import type { RotationRecord } from "../store/rotation-records.ts";

/** What the admin API has others do with provider keys: who opens seals and asks providers is behind it. */
export interface KeyDesk {
  /** Has the open rotations looked at now. */
  wake(): void;
  /**
   * The management of an account's keys at its provider, with the admin key that is kept, or with `secret`. `absent`: why
   * there is none, for people.
   */
  administrationOf(
    account: ProviderAccountRecord,
    secret?: string,
  ): Promise<
    | { readonly kind: "ready"; readonly administration: KeyAdministration }
    | { readonly kind: "absent"; readonly problem: string }
  >;
  /** Calls with the old secret of a rotation. */
  tryOldSecret(rotation: RotationRecord): Promise<OldSecretAnswer>;
}
