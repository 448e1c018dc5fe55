import type { EnvironmentId } from "../core/ids/ids.ts";
import {
  type ClientTokenClaims,
  type ReadClientToken,
  readClientToken,
  type SignToken,
} from "../core/keys/client-token.ts";
import { ownLimitOf } from "../core/limits/client-token-limit.ts";
import { dropOldest } from "./drop-oldest.ts";
import type { KeyEntry } from "./snapshot.ts";

/** The key that an environment's tokens are signed with now. */
export interface SigningKey {
  readonly number: number;
  readonly sign: SignToken;
}

export interface ClientTokenFacts {
  readonly signingKeys: ReadonlyMap<EnvironmentId, SigningKey>;
  /** By the customer's external id: where the log of changes stood when its tokens were revoked. */
  readonly revokedCustomers: ReadonlyMap<string, number>;
}

interface Known {
  readonly claims: ClientTokenClaims;
  /** What is known of the key that it was made under, and what follows from that for the token. */
  derived: { readonly parent: KeyEntry; readonly entry: KeyEntry } | undefined;
}

/** A page makes a few calls with a token, and a token is there for minutes. */
const MAX_KNOWN = 10_000;

/**
 * Tells tokens that are good from those that are not, by what the process holds in memory: for a token itself nothing is
 * looked up. Tags that were found right are remembered, so that a token is checked once and not with every call.
 */
export class ClientTokenBook {
  #facts: ClientTokenFacts = { signingKeys: new Map(), revokedCustomers: new Map() };
  readonly #known = new Map<string, Known>();

  /** Takes the place of what was known of signing keys and revocations. */
  replace(facts: ClientTokenFacts): void {
    this.#facts = facts;
    this.#known.clear();
  }

  /** Undefined for one that was made up, altered, or revoked. Whether it has expired is another question. */
  find(text: string): ClientTokenClaims | undefined {
    const known = this.#known.get(text) ?? this.#check(text);
    if (known === undefined) return undefined;
    const { claims } = known;
    const revokedAt = this.#facts.revokedCustomers.get(claims.customer);
    return revokedAt !== undefined && revokedAt > claims.madeAfter ? undefined : claims;
  }

  /**
   * What a token that was found stands for: the key that it was made under, for one customer, and no more than both of
   * them allow. Undefined where it is no token of that key.
   */
  entryOf(text: string, parent: KeyEntry): KeyEntry | undefined {
    const known = this.#known.get(text);
    if (known?.derived?.parent === parent) return known.derived.entry;
    const claims = known?.claims ?? this.find(text);
    if (claims === undefined || claims.environmentId !== parent.environmentId) return undefined;
    if (parent.customer !== null && parent.customer !== claims.customer) return undefined;
    const entry = derive(claims, parent);
    if (known !== undefined) known.derived = { parent, entry };
    return entry;
  }

  #check(text: string): Known | undefined {
    const read = readClientToken(text);
    if (read === undefined || !this.#isOurs(read)) return undefined;
    const known: Known = { claims: read.claims, derived: undefined };
    this.#known.set(text, known);
    dropOldest(this.#known, MAX_KNOWN);
    return known;
  }

  #isOurs(read: ReadClientToken): boolean {
    const key = this.#facts.signingKeys.get(read.claims.environmentId);
    return key?.number === read.claims.signingKey && read.isSignedBy(key.sign);
  }
}

function derive(claims: ClientTokenClaims, parent: KeyEntry): KeyEntry {
  const { allowedModels, restrictions } = parent;
  const models = claims.models.filter((model) => allowedModels?.has(model) !== false);
  return {
    ...parent,
    customer: claims.customer,
    allowedModels: new Set(models),
    // Where a key's own calls come from says nothing of where its customers sit.
    restrictions: restrictions && { ...restrictions, allowedIps: null },
    isForBrowsers: true,
    clientToken: {
      id: claims.id,
      feature: claims.feature,
      endpoints: new Set<string>(claims.endpoints),
      ownLimit: ownLimitOf(claims),
    },
  };
}
