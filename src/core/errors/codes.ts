/**
 * The closed table of every error Keyward itself can answer with. `docs/errors.md` is generated from it.
 * An error that a provider sends is passed through unchanged and is not in this table.
 */

/** How loudly the error is logged: `none` = counted only. */
type ErrorLogLevel = "none" | "info" | "warn" | "error";

export interface ErrorDefinition {
  /** HTTP status of the answer. */
  readonly status: number;
  /** `error.type` in OpenAI's error shape. */
  readonly type: string;
  /** Becomes `x-should-retry`: whether the same call can succeed a little later without a change by the caller. */
  readonly retryable: boolean;
  readonly log: ErrorLogLevel;
  /** One line for `docs/errors.md`: what happened and what to do. */
  readonly title: string;
}

/** Keeps the literal status, so that a caller which answers with a code answers with a status its types know. */
type Defined<Status extends number> = ErrorDefinition & { readonly status: Status };

const invalid = <const Status extends number>(status: Status, title: string): Defined<Status> => ({
  status,
  type: "invalid_request_error",
  retryable: false,
  log: "none",
  title,
});
const refused = <const Status extends number>(
  status: Status,
  type: string,
  title: string,
): Defined<Status> => ({ status, type, retryable: false, log: "info", title });
const failed = <const Status extends number>(
  status: Status,
  retryable: boolean,
  title: string,
): Defined<Status> => ({ status, type: "server_error", retryable, log: "error", title });

export const ERROR_CODES = {
  invalid_api_key: refused(
    401,
    "authentication_error",
    "The key is missing, malformed, unknown, expired or revoked; every case gets the same answer. Use a key from `keyward keys create`.",
  ),
  api_key_rotated: refused(
    401,
    "authentication_error",
    "The gateway key was rotated, and the overlap in which its old secret was accepted has ended. Use the new one; a lost one is replaced with `keyward keys rotate`.",
  ),
  client_token_expired: refused(
    401,
    "authentication_error",
    "The client token was good for some minutes, and they are over. The page asks its own server for another, which makes it with `POST /client-tokens`.",
  ),
  invalid_admin_token: refused(
    401,
    "authentication_error",
    "The admin API needs `Authorization: Bearer <admin token>`. A lost token is replaced with `keyward admin-token rotate`.",
  ),
  invalid_metrics_token: refused(
    401,
    "authentication_error",
    "`/metrics` is open to the server's own machine only. From elsewhere it needs `Authorization: Bearer` with the setting `metricsToken` or an admin token.",
  ),
  origin_not_allowed: refused(
    403,
    "permission_error",
    "A browser sent the request from a page of another origin. The admin API answers its own pages and programs, no other site.",
  ),
  invalid_login: refused(
    401,
    "authentication_error",
    "The e-mail or the password is wrong; both get the same answer. A member who has forgotten the password gets a link from `keyward members reset-password`; an owner makes it on the server's machine.",
  ),
  login_throttled: {
    status: 429,
    type: "requests",
    retryable: true,
    log: "info",
    title:
      "Too many logins have failed for the account or from the address, or too many are under way. `retry-after` says how long to wait.",
  },
  leak_reports_throttled: {
    status: 429,
    type: "requests",
    retryable: true,
    log: "info",
    title:
      "Too many reports of leaked keys came from the address, or from everywhere together. None of this request was looked at; `retry-after` says when to send it again. One request takes a hundred keys.",
  },
  login_refused: refused(
    403,
    "permission_error",
    "The identity provider's word did not let anybody in: it said no, its answer did not hold, or whom it names is no member. The page says which.",
  ),
  identity_provider_unavailable: failed(
    503,
    true,
    "The identity provider does not answer, or answers what Keyward cannot use: the log says what. Members with a password can log in by that.",
  ),
  invalid_invitation: refused(
    403,
    "permission_error",
    "The link is unknown, was used or revoked, or has expired; every case gets the same answer. Ask for a new one.",
  ),
  invalid_reset_link: refused(
    403,
    "permission_error",
    "The link for a new password is unknown, was used or revoked, or has expired; every case gets the same answer. An owner or admin makes another with `keyward members reset-password`.",
  ),
  permission_denied: refused(
    403,
    "permission_error",
    "The member or token may not do this, or not in this environment; the message names the permission. An owner or admin can change the role or the environments.",
  ),
  model_not_allowed: refused(
    403,
    "permission_error",
    "The gateway key, or its environment's policy, does not allow this model. Use an allowed one, or a key that allows it.",
  ),
  endpoint_not_allowed: refused(
    403,
    "permission_error",
    "The gateway key, or its environment's policy, does not allow this endpoint. Use another key, or allow it with `keyward keys update` or `keyward environments policy`.",
  ),
  ip_not_allowed: refused(
    403,
    "permission_error",
    "The call comes from an address that the gateway key, or its environment's policy, does not allow. Behind a proxy, name it in the setting `trustedProxies`.",
  ),
  browser_call_refused: {
    status: 403,
    type: "permission_error",
    retryable: false,
    log: "warn",
    title:
      "A browser sent a gateway key that is not made for browsers: everybody who opens the page can read it. Revoke it, and have a server make the call.",
  },
  output_limit_exceeded: refused(
    403,
    "permission_error",
    "The call asks for more output than the environment's policy allows. Ask for less, or change the policy with `keyward environments policy`.",
  ),
  provider_key_not_allowed: refused(
    503,
    "configuration_error",
    "The environment has provider keys, and its policy refuses every one of them: a personal account's, or one that is active in another environment as well. Add one that it allows; `keyward environments policy` says which are refused.",
  ),
  model_unpriced: refused(
    403,
    "permission_error",
    "The environment refuses calls whose model has no price. Give the model one with `keyward prices override`, or change the environment's policy.",
  ),
  insufficient_quota: refused(
    429,
    "insufficient_quota",
    "A hard budget that counts this call has less left than the call may cost at worst. Raise it with `keyward budgets set-limit`, wait for its next period, or set a lower limit on the output.",
  ),
  cost_unbounded: refused(
    403,
    "permission_error",
    "A hard budget counts this call, and what the call may cost at worst cannot be said. Say what to set aside for such calls with `keyward environments set-budget-ceiling`.",
  ),
  budget_unavailable: failed(
    503,
    true,
    "A hard budget counts this call, and the database that knows what is left of it does not answer. Calls that no hard budget counts go on. Try again.",
  ),
  no_provider_key: refused(
    503,
    "configuration_error",
    "The environment has no provider key, so there is nothing to call with. Add one with `keyward provider-keys add`.",
  ),
  routing_rule_unusable: refused(
    503,
    "configuration_error",
    "The routing rule that is for this model allows no provider key that is there. Add a key of its account or provider, or change the rule.",
  ),
  endpoint_not_served: refused(
    404,
    "invalid_request_error",
    "No provider that this call may go to has the endpoint. Add a key of a provider that has it, or change the routing rule.",
  ),
  provider_rate_limited: {
    status: 429,
    type: "requests",
    retryable: true,
    log: "info",
    title:
      "No provider key can take the call now: its account has asked for time, or is used up to its provider's limit and no room came while the call waited. It was not sent. `retry-after` says how long.",
  },
  rate_limit_exceeded: {
    status: 429,
    type: "requests",
    retryable: true,
    log: "info",
    title:
      "A limit on requests or tokens a minute, or on calls in flight, is reached; the message names it. The call was not sent and counts for nothing. `retry-after-ms` says when there is room again.",
  },
  no_healthy_provider: {
    status: 503,
    type: "server_error",
    retryable: true,
    log: "warn",
    title:
      "No provider key can take the call now, because those that could have failed and are left alone for a moment. `retry-after` says how long.",
  },
  invalid_header: invalid(400, "A request header that Keyward reads has a value it cannot accept."),
  invalid_json: invalid(
    400,
    "The request body is not a JSON object, names a field twice or in a case that some servers take for another, or has a model that is not a string.",
  ),
  invalid_form: invalid(
    400,
    "The request body is a form that has a field twice; the message names it.",
  ),
  invalid_argument: invalid(
    400,
    "A field of an admin request has a wrong value; the message names it.",
  ),
  malformed_request: invalid(
    400,
    "What came on the connection is not a well-formed HTTP/1.1 request, or one that two servers could read in two ways. The connection is closed.",
  ),
  headers_too_large: invalid(
    431,
    "The request's head is larger, or has more fields, than the gateway reads. The connection is closed.",
  ),
  request_timeout: {
    status: 408,
    type: "invalid_request_error",
    retryable: true,
    log: "none",
    title:
      "The client took too long to send its request (the settings `clientHeadersTimeoutMs`, `clientIdleTimeoutMs`, `clientRequestTimeoutMs`). The connection is closed.",
  },
  request_too_large: invalid(
    413,
    "The request body is larger than the gateway reads for this endpoint; the message names the limit.",
  ),
  unsupported_content_type: invalid(
    415,
    "The request body is not of a type this endpoint reads; the message names the one it does.",
  ),
  unsupported_content_encoding: invalid(
    415,
    "The request body is compressed, and this endpoint's body must be readable. Send it uncompressed.",
  ),
  method_not_allowed: invalid(
    405,
    "The method is not one that OpenAI-compatible APIs use, so it is not forwarded.",
  ),
  key_in_url: invalid(
    400,
    "A Keyward key stands in the URL, where logs would keep it, the provider's among them. Send it as `Authorization: Bearer` and revoke this one.",
  ),
  unknown_url: invalid(
    404,
    "The URL is not one that Keyward serves. The data plane is `/v1/*` and, for clients of Azure, `/openai/*`; the admin API `/api/v1/*`.",
  ),
  not_found: invalid(404, "No object of that kind has this id."),
  conflict: invalid(
    409,
    "The change contradicts something that is already there; the message says what.",
  ),
  overloaded: {
    status: 503,
    type: "server_error",
    retryable: true,
    log: "warn",
    title: "This process already carries as many calls as it may. Try again shortly.",
  },
  starting_up: {
    status: 503,
    type: "server_error",
    retryable: true,
    log: "none",
    title: "The process has taken its port and is not ready yet. Try again.",
  },
  shutting_down: {
    status: 503,
    type: "server_error",
    retryable: true,
    log: "none",
    title: "The process is stopping and takes no new calls. Try again.",
  },
  live_feed_unavailable: {
    status: 503,
    type: "server_error",
    retryable: true,
    log: "info",
    title:
      "The live feed takes no further reader: as many read it as may, the process is stopping, or no server runs in it. Close another `keyward tail`, or try again.",
  },
  journal_unavailable: failed(
    503,
    true,
    "The journal cannot be written (often a full disk), so the call was not sent: its cost could be lost.",
  ),
  store_unavailable: failed(
    503,
    true,
    "The database did not answer and the key is not in memory. Try again.",
  ),
  upstream_unreachable: failed(
    502,
    true,
    "No connection to the provider could be made; the call was not sent.",
  ),
  upstream_not_allowed: failed(
    502,
    false,
    "The provider's host leads to an address in a private network and is not in `allowedPrivateHosts`, so the call was not sent. Add the host there if it is yours.",
  ),
  upstream_failed: failed(
    502,
    true,
    "The provider closed the connection before it answered. The call may have been carried out.",
  ),
  upstream_timeout: failed(
    504,
    true,
    "The provider did not answer in time. The call may have been carried out.",
  ),
  internal_error: failed(
    500,
    true,
    "A fault in Keyward; the log has the details under the request id.",
  ),
} as const satisfies Record<string, ErrorDefinition>;

export type ErrorCode = keyof typeof ERROR_CODES;
