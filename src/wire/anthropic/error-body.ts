import { ERROR_CODES, type ErrorCode } from "../../core/errors/codes.ts";

/**
 * An error in Anthropic's shape, as its clients read it. Source: `ErrorResponse` and the error types of Anthropic's
 * published API types; their page "Errors" has the statuses.
 */
export interface AnthropicErrorBody {
  readonly type: "error";
  readonly error: {
    readonly type: string;
    readonly message: string;
    /** Keyward's own code, from docs/errors.md; Anthropic's shape has no place for one, and its clients ignore it. */
    readonly code: string;
  };
  readonly request_id: string;
}

export function createAnthropicErrorBody(
  code: ErrorCode,
  message: string,
  requestId: string,
): AnthropicErrorBody {
  return {
    type: "error",
    error: { type: TYPES.get(ERROR_CODES[code].status) ?? "api_error", message, code },
    request_id: requestId,
  };
}

const TYPES: ReadonlyMap<number, string> = new Map([
  [400, "invalid_request_error"],
  [401, "authentication_error"],
  [402, "billing_error"],
  [403, "permission_error"],
  [404, "not_found_error"],
  [405, "invalid_request_error"],
  [409, "invalid_request_error"],
  [413, "request_too_large"],
  [415, "invalid_request_error"],
  [429, "rate_limit_error"],
  [504, "timeout_error"],
]);
