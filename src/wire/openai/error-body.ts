import { ERROR_CODES, type ErrorCode } from "../../core/errors/codes.ts";

/**
 * An error in OpenAI's shape, as the official clients read it. Source: `ErrorObject` in OpenAI's published API
 * specification.
 */
export interface OpenAiErrorBody {
  readonly error: {
    readonly message: string;
    readonly type: string;
    readonly param: string | null;
    readonly code: string;
  };
}

export function createErrorBody(
  code: ErrorCode,
  message: string,
  param: string | null = null,
): OpenAiErrorBody {
  return { error: { message, type: ERROR_CODES[code].type, param, code } };
}
