/** Who somebody is, as an identity provider says it. */
export interface Identity {
  /** `<issuer> <subject>`: what stays the same whatever else changes. */
  readonly subject: string;
  /** As it was told; null: it was not. */
  readonly email: string | null;
  /** Whether the provider says that the address is the person's. */
  readonly isEmailVerified: boolean;
  /** As it was told; null: it was not. */
  readonly name: string | null;
}

/** What the browser keeps while its person is with the provider: what comes back is held against it. */
export interface LoginChecks {
  readonly state: string;
  readonly nonce: string;
  readonly verifier: string;
}

/** The provider does not answer, or with what nobody can use. `reason` is for the log. */
interface Unavailable {
  readonly kind: "unavailable";
  readonly reason: string;
}

type Begun =
  | { readonly kind: "begun"; readonly url: string; readonly checks: LoginChecks }
  | Unavailable;

export type IdentityAnswer =
  | { readonly kind: "identity"; readonly identity: Identity }
  /** The provider says no, in words of its own. */
  | { readonly kind: "refused"; readonly said: string }
  /** What came back does not hold: another login's, used before, too old, forged. `reason` is for the log. */
  | { readonly kind: "invalid"; readonly reason: string }
  | Unavailable;

/** Who can be asked who somebody is. Neither method rejects for what the provider or a browser does. */
export interface IdentityProvider {
  /** What people know it by. */
  readonly name: string;
  begin(redirectUri: string): Promise<Begun>;
  /** `query`: what the browser brought back to `redirectUri`. */
  finish(
    came: { readonly query: string; readonly redirectUri: string },
    checks: LoginChecks,
  ): Promise<IdentityAnswer>;
}
