import { looksLikeClientToken } from "../../core/keys/client-token.ts";
import { hashGatewayKey, parseGatewayKey } from "../../core/keys/gateway-key.ts";
import type { SupersededSecret } from "../../core/keys/superseded-secret.ts";
import type { Call, Refusal } from "../call.ts";
import type { CallsByKey } from "../calls-by-key.ts";
import type { ClientTokenBook } from "../client-token-book.ts";
import type { KeyEntry, Snapshot } from "../snapshot.ts";

export interface AuthenticateDeps {
  readonly snapshot: Snapshot;
  readonly callsByKey: CallsByKey;
  readonly clientTokens: Pick<ClientTokenBook, "find" | "entryOf">;
  readonly nowMs: () => number;
}

/** One answer for every miss, so that nobody learns which part of a key was right. */
const INVALID_KEY: Refusal = {
  code: "invalid_api_key",
  message:
    "This is not a valid Keyward key. Set OPENAI_API_KEY to a key made with `keyward keys create`, and OPENAI_BASE_URL to this gateway.",
};

/** Finds the gateway key: checksum first, so that noise costs no look-up, then the SHA-256 in the snapshot. */
export function authenticate(
  deps: AuthenticateDeps,
  call: Call,
): Refusal | undefined | Promise<Refusal | undefined> {
  const late = deps.snapshot.catchUp();
  return late === undefined ? find(deps, call) : late.then(() => find(deps, call));
}

function find(
  deps: AuthenticateDeps,
  call: Call,
): Refusal | undefined | Promise<Refusal | undefined> {
  if (deps.snapshot.isStale()) return STALE;
  const presented = presentedKey(call);
  if (presented !== undefined && looksLikeClientToken(presented)) {
    return authenticateToken(deps, call, presented);
  }
  if (presented === undefined || parseGatewayKey(presented) === undefined) return INVALID_KEY;
  return acceptFound(deps, call, deps.snapshot.findKey(hashGatewayKey(presented)));
}

/** For the token itself nothing is looked up; the key that it was made under is known as any other that calls. */
function authenticateToken(
  deps: AuthenticateDeps,
  call: Call,
  token: string,
): Refusal | undefined | Promise<Refusal | undefined> {
  const claims = deps.clientTokens.find(token);
  if (claims === undefined) return INVALID_KEY;
  const expired = claims.expiresAtMs <= deps.nowMs() ? EXPIRED_TOKEN : undefined;
  const narrow = (parent: KeyEntry | undefined) =>
    parent && deps.clientTokens.entryOf(token, parent);
  const found = deps.snapshot.findKeyById(claims.keyId);
  const accepted = acceptFound(
    deps,
    call,
    found instanceof Promise ? found.then(narrow) : narrow(found),
  );
  return accepted instanceof Promise
    ? accepted.then((refusal) => refusal ?? expired)
    : (accepted ?? expired);
}

/** Whoever has the whole of a token that was right may know that another is needed. */
const EXPIRED_TOKEN: Refusal = {
  code: "client_token_expired",
  message: "This client token has expired. Ask your own server for another.",
};

function acceptFound(
  deps: AuthenticateDeps,
  call: Call,
  found: KeyEntry | undefined | Promise<KeyEntry | undefined>,
): Refusal | undefined | Promise<Refusal | undefined> {
  if (!(found instanceof Promise)) return accept(deps, call, found);
  return found.then(
    (entry) => accept(deps, call, entry),
    () => STORE_UNAVAILABLE,
  );
}

const STORE_UNAVAILABLE: Refusal = {
  code: "store_unavailable",
  message:
    "The key could not be looked up because the database does not answer. Try again shortly.",
};

/** A key may have been revoked, and nobody here would know. */
const STALE: Refusal = {
  code: "store_unavailable",
  message:
    "This process has not seen changes of keys for too long (the setting maxStalenessMs), because the database does not answer. Try again shortly.",
};

/** Whether it says nothing of the key. */
export function isOutage(refusal: Refusal): boolean {
  return refusal.code === "store_unavailable";
}

function accept(
  deps: AuthenticateDeps,
  call: Call,
  entry: KeyEntry | undefined,
): Refusal | undefined {
  if (entry === undefined || entry.revokedAtMs !== null) return INVALID_KEY;
  if (entry.expiresAtMs !== null && entry.expiresAtMs <= deps.nowMs()) return INVALID_KEY;
  const { superseded } = entry;
  if (superseded !== null && superseded.validUntilMs <= deps.nowMs()) return rotatedKey(superseded);
  call.key = entry;
  deps.callsByKey.add(call);
  return undefined;
}

/** Whoever has the whole of a secret that was right may know what became of it. */
function rotatedKey({ reason, supersededAtMs, validUntilMs }: SupersededSecret): Refusal {
  const at = formatMinute(supersededAtMs);
  const message =
    reason === "withdrawn"
      ? `This key's rotation was taken back at ${at}, and this is the secret that was to replace it: the one before it holds again. Set OPENAI_API_KEY to that one.`
      : `This key was rotated at ${at}; its old secret, which this is, was accepted until ${formatMinute(validUntilMs)}. Set OPENAI_API_KEY to the new one.`;
  return { code: "api_key_rotated", message };
}

function formatMinute(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 16)}Z`;
}

/** `Authorization: Bearer …`; Azure's client sends `api-key`, Anthropic's `x-api-key`. */
function presentedKey(call: Call): string | undefined {
  const authorization = call.request.headers.get("authorization");
  if (authorization !== undefined) {
    return /^bearer /i.test(authorization) ? authorization.slice(7).trim() : undefined;
  }
  return call.request.headers.get("api-key") ?? call.request.headers.get("x-api-key");
}
