import { CALLBACK_PATH } from "../../admin/routes/identity-login.ts";
import type { Config } from "../../config/config-schema.ts";
import { isLoopback } from "../../core/network/loopback.ts";
import { createIdentityProvider } from "../../runtime/admin-authenticator.ts";
import { findServerHere } from "../server-here.ts";
import { type Check, fail, pass, warn } from "./check.ts";

const NAME = "identity provider";

/** That the OpenID provider of the settings answers as one, and sends people back to where they can get. */
export async function checkIdentityProvider(config: Config): Promise<readonly Check[]> {
  const provider = createIdentityProvider(config);
  if (provider === undefined) return [];
  const base = config.publicUrl ?? (await findServerHere(config)).url;
  const redirectUri = `${base.replace(/\/$/, "")}${CALLBACK_PATH}`;
  const begun = await provider.begin(redirectUri);
  if (begun.kind === "unavailable") {
    return [fail(NAME, `${config.oidcIssuer}: ${begun.reason}`, "check KEYWARD_OIDC_ISSUER")];
  }
  const found = `${config.oidcIssuer} answers; it has to know the redirect URI ${redirectUri}`;
  if (config.publicUrl !== null || isLoopback(config.host)) return [pass(NAME, found)];
  return [warn(NAME, found, "set KEYWARD_PUBLIC_URL to where people reach Keyward")];
}
