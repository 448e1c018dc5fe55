import { createTokenAuthenticator, type Authenticator } from "../admin/authenticator.ts";
import { PasswordHasher } from "../admin/password-hasher.ts";
import type { Config } from "../config/config-schema.ts";
import { decideAccess } from "../core/access/decide-access.ts";
import type { Store } from "../store/store.ts";
import { OpenIdProvider } from "./oidc/openid-provider.ts";
import { withinDeadline } from "./within-deadline.ts";

/** As long as the data plane waits for the look-up of a key. */
const DEADLINE_MS = 5_000;
const HOUR_MS = 3_600_000;

/** The authenticator of a running server: it gives up on a store that keeps silent, before its driver does. */
export function createAdminAuthenticator(
  { adminTokens, access }: Pick<Store, "adminTokens" | "access">,
  config: Pick<Config, "adminToken"> & SessionConfig,
): Authenticator {
  const { sessionLimits, publicUrl } = sessionParts(config);
  const authenticator = createTokenAuthenticator({
    adminTokens,
    members: access.members,
    sessions: access.sessions,
    nowMs: Date.now,
    extraToken: config.adminToken ?? undefined,
    sessionLimits,
    isSecure: publicUrl?.startsWith("https:") ?? false,
  });
  return {
    checksTokens: authenticator.checksTokens,
    identify: (credentials, about) =>
      withinDeadline(DEADLINE_MS, authenticator.identify(credentials, about)),
  };
}

/** Metrics are of all environments together. */
export async function mayReadMetrics(
  authenticator: Authenticator,
  authorization: string,
): Promise<boolean> {
  const principal = await authenticator.identify({ authorization, cookie: null });
  return (
    principal !== undefined && decideAccess(principal, "status:read", "organization") === "allowed"
  );
}

type SessionConfig = Pick<Config, "publicUrl" | "sessionIdleHours" | "sessionMaxHours">;
type LoginConfig = SessionConfig &
  Pick<Config, "oidcIssuer" | "oidcClientId" | "oidcClientSecret" | "oidcName">;

/** What the settings say of logins, as the admin app takes it. */
export function loginParts(config: LoginConfig) {
  return {
    ...sessionParts(config),
    passwords: new PasswordHasher(),
    identityProvider: createIdentityProvider(config),
  };
}

/** Undefined where the settings name none. */
export function createIdentityProvider(config: LoginConfig): OpenIdProvider | undefined {
  const { oidcIssuer: issuer, oidcClientId: clientId, oidcName: name } = config;
  if (issuer === null || clientId === null) return undefined;
  return new OpenIdProvider({ issuer, clientId, clientSecret: config.oidcClientSecret, name });
}

function sessionParts({ publicUrl, sessionIdleHours, sessionMaxHours }: SessionConfig) {
  return {
    publicUrl: publicUrl ?? undefined,
    sessionLimits: { idleMs: sessionIdleHours * HOUR_MS, maxMs: sessionMaxHours * HOUR_MS },
  };
}
