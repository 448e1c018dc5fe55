import type * as OpenIdClient from "openid-client";
import type { Configuration, IDToken, UserInfoResponse } from "openid-client";
import type { Identity, IdentityAnswer, IdentityProvider } from "../../admin/identity-provider.ts";
import { isLoopback } from "../../core/network/loopback.ts";
import { explainFailure, ProviderTrouble } from "./explain-failure.ts";
import { fetchWithin } from "./fetch-within.ts";

type Library = typeof OpenIdClient;

export interface OpenIdSettings {
  readonly name: string;
  readonly issuer: string;
  readonly clientId: string;
  /** Null: a public client, which PKCE alone protects. */
  readonly clientSecret: string | null;
}

const SCOPE = "openid email profile";
const TIMEOUT_SECONDS = 10;
/** After so long the provider is asked anew what it is. Its signing keys are looked after by the library. */
const METADATA_LIFE_MS = 60 * 60_000;
/** OpenID Connect Core 1.0, section 2. */
const MAX_SUBJECT_CHARACTERS = 255;

interface Found {
  readonly library: Library;
  readonly configuration: Configuration;
  readonly atMs: number;
}

/**
 * An OpenID Connect provider: authorization code with PKCE, state and nonce (OpenID Connect Core 1.0; RFC 7636; RFC 9700).
 * The library and what the provider says of itself are loaded with the first login. Nothing of a login is kept here, so
 * that any process may finish what another has begun.
 */
export class OpenIdProvider implements IdentityProvider {
  readonly name: string;
  readonly #settings: OpenIdSettings;
  readonly #monotonicMs: () => number;
  #found: Found | undefined;
  #finding: Promise<Found> | undefined;

  constructor(settings: OpenIdSettings, monotonicMs: () => number = () => performance.now()) {
    this.name = settings.name;
    this.#settings = settings;
    this.#monotonicMs = monotonicMs;
  }

  async begin(redirectUri: string): ReturnType<IdentityProvider["begin"]> {
    let found: Found;
    try {
      found = await this.#find();
    } catch (error) {
      return unavailable(error);
    }
    const { library, configuration } = found;
    const checks = {
      state: library.randomState(),
      nonce: library.randomNonce(),
      verifier: library.randomPKCECodeVerifier(),
    };
    const url = library.buildAuthorizationUrl(configuration, {
      redirect_uri: redirectUri,
      scope: SCOPE,
      state: checks.state,
      nonce: checks.nonce,
      code_challenge: await library.calculatePKCECodeChallenge(checks.verifier),
      code_challenge_method: "S256",
    });
    return { kind: "begun", url: url.href, checks };
  }

  async finish(
    { query, redirectUri }: { readonly query: string; readonly redirectUri: string },
    checks: Parameters<IdentityProvider["finish"]>[1],
  ): Promise<IdentityAnswer> {
    let found: Found;
    try {
      found = await this.#find();
    } catch (error) {
      return unavailable(error);
    }
    const { library, configuration } = found;
    const url = new URL(redirectUri);
    url.search = query;
    try {
      const tokens = await library.authorizationCodeGrant(configuration, url, {
        expectedState: checks.state,
        expectedNonce: checks.nonce,
        pkceCodeVerifier: checks.verifier,
        idTokenExpected: true,
      });
      const claims = tokens.claims();
      if (claims === undefined) return { kind: "invalid", reason: "there is no ID token" };
      if (claims.sub.length > MAX_SUBJECT_CHARACTERS) {
        return { kind: "invalid", reason: "the subject is longer than a subject may be" };
      }
      // Providers that keep the ID token small tell the rest when they are asked for it.
      const isTold = typeof claims["email"] === "string";
      const canTell = configuration.serverMetadata().userinfo_endpoint !== undefined;
      const more =
        isTold || !canTell
          ? claims
          : await library.fetchUserInfo(configuration, tokens.access_token, claims.sub);
      return { kind: "identity", identity: identityOf(claims, more) };
    } catch (error) {
      return explainFailure(library, error);
    }
  }

  /** One question at a time, however many log in. What was known last is better than nothing. */
  async #find(): Promise<Found> {
    const found = this.#found;
    if (found !== undefined && this.#monotonicMs() - found.atMs < METADATA_LIFE_MS) return found;
    this.#finding ??= this.#ask().finally(() => {
      this.#finding = undefined;
    });
    try {
      return await this.#finding;
    } catch (error) {
      if (found !== undefined) return found;
      throw error;
    }
  }

  async #ask(): Promise<Found> {
    const library = await import("openid-client");
    const { issuer, clientId, clientSecret } = this.#settings;
    const execute = [library.enableNonRepudiationChecks];
    // Only for the loopback address, which the settings and fetchWithin see to.
    if (issuer.startsWith("http:")) execute.push(library.allowInsecureRequests);
    let configuration: Configuration;
    try {
      configuration = await library.discovery(
        new URL(issuer),
        clientId,
        clientSecret ?? undefined,
        clientSecret === null ? library.None() : undefined,
        { timeout: TIMEOUT_SECONDS, execute, [library.customFetch]: fetchWithin },
      );
    } catch (error) {
      const answer = explainFailure(library, error);
      throw new ProviderTrouble("reason" in answer ? answer.reason : answer.kind);
    }
    requireUsable(configuration, issuer);
    this.#found = { library, configuration, atMs: this.#monotonicMs() };
    return this.#found;
  }
}

function requireUsable(configuration: Configuration, issuer: string): void {
  const { issuer: told, authorization_endpoint: endpoint } = configuration.serverMetadata();
  // One that answers for whatever tenant somebody comes from would let every tenant in.
  if (!URL.canParse(told) || new URL(told).href !== new URL(issuer).href) {
    throw new ProviderTrouble(
      `it calls itself ${told}, and oidcIssuer is ${issuer}: name the issuer of one tenant, as it spells itself`,
    );
  }
  const url = endpoint !== undefined && URL.canParse(endpoint) ? new URL(endpoint) : undefined;
  const isSafe =
    url?.protocol === "https:" || (url?.protocol === "http:" && isLoopback(url.hostname));
  if (!isSafe) throw new ProviderTrouble("it names no place with https to log in at");
}

function unavailable(error: unknown): { readonly kind: "unavailable"; readonly reason: string } {
  if (!(error instanceof ProviderTrouble)) throw error;
  return { kind: "unavailable", reason: error.message };
}

function identityOf(claims: IDToken, more: IDToken | UserInfoResponse): Identity {
  const { email, email_verified: verified, name } = more as Readonly<Record<string, unknown>>;
  return {
    subject: `${claims.iss} ${claims.sub}`,
    email: typeof email === "string" ? email : null,
    // Some write it as a text.
    isEmailVerified: verified === true || verified === "true",
    name: typeof name === "string" ? name : null,
  };
}
