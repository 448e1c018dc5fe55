import { ERROR_CODES, type ErrorCode, type ErrorDefinition } from "./codes.ts";

/**
 * A fault with a code from the closed table. `message` is public: it says what was expected, what came and what
 * to do next. `detail` and `cause` are for logs and never leave the process.
 */
export class KeywardError extends Error {
  readonly code: ErrorCode;
  readonly detail: string | undefined;

  constructor(
    code: ErrorCode,
    publicMessage: string,
    options: { detail?: string; cause?: unknown } = {},
  ) {
    super(publicMessage, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "KeywardError";
    this.code = code;
    this.detail = options.detail;
  }

  get definition(): ErrorDefinition {
    return ERROR_CODES[this.code];
  }
}
