import type * as OpenIdClient from "openid-client";
import type { IdentityAnswer } from "../../admin/identity-provider.ts";
import { oneLine } from "../../core/text/one-line.ts";

type Library = typeof OpenIdClient;

/** What is wrong with the provider itself, in words for the log. */
export class ProviderTrouble extends Error {}

const MAX_SAID_CHARACTERS = 300;

/** The server answers, and not as a provider does: an error page, a proxy's page, half an answer. */
const NO_PROVIDER: ReadonlySet<string> = new Set([
  "OAUTH_RESPONSE_IS_NOT_CONFORM",
  "OAUTH_RESPONSE_IS_NOT_JSON",
  "OAUTH_PARSE_ERROR",
  "OAUTH_TIMEOUT",
  "OAUTH_ABORT",
  "OAUTH_HTTP_REQUEST_FORBIDDEN",
]);

/**
 * What an error of the library means. Only its code, its message and what the provider calls the error are used: its
 * causes hold whole answers, and tokens in them.
 */
export function explainFailure(
  library: Library,
  error: unknown,
): Exclude<IdentityAnswer, { kind: "identity" }> {
  if (error instanceof library.AuthorizationResponseError) {
    return { kind: "refused", said: describe(error) };
  }
  if (error instanceof library.ResponseBodyError) {
    // Of the code alone: it was used, is too old, or was given to somebody else.
    if (error.error === "invalid_grant") return { kind: "invalid", reason: describe(error) };
    return { kind: "unavailable", reason: `it refuses Keyward: ${describe(error)}` };
  }
  const trouble = troubleOf(error);
  if (trouble !== undefined) return { kind: "unavailable", reason: trouble.message };
  if (error instanceof library.WWWAuthenticateChallengeError) {
    return { kind: "unavailable", reason: `it refuses Keyward with status ${error.status}` };
  }
  if (!(error instanceof library.ClientError)) throw error;
  const reason = oneLine(`${error.message} (${error.code ?? "no code"})`, MAX_SAID_CHARACTERS);
  return NO_PROVIDER.has(error.code ?? "")
    ? { kind: "unavailable", reason }
    : { kind: "invalid", reason };
}

/** The library wraps what it does not know. */
function troubleOf(error: unknown): ProviderTrouble | undefined {
  if (error instanceof ProviderTrouble) return error;
  return error instanceof Error && error.cause instanceof ProviderTrouble ? error.cause : undefined;
}

function describe(error: { readonly error: string; readonly error_description?: string }): string {
  const { error: code, error_description: description } = error;
  return oneLine(description === undefined ? code : `${code}: ${description}`, MAX_SAID_CHARACTERS);
}
