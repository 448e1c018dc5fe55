import { STATUS_CODES } from "node:http";
import { ERROR_CODES, type ErrorCode } from "../../core/errors/codes.ts";
import { createErrorBody } from "../../wire/openai/error-body.ts";

/** Why what came is not handed on: it is no request, or did not come to its end. The last answer on its connection. */
export interface RawRefusal {
  readonly code: ErrorCode;
  readonly message: string;
}

export function malformed(message: string): RawRefusal {
  return { code: "malformed_request", message };
}

/** The whole answer as it is sent, in the shape of all of Keyward's errors. */
export function formatRawRefusal({ code, message }: RawRefusal): Buffer {
  const { status, retryable } = ERROR_CODES[code];
  const body = JSON.stringify(createErrorBody(code, message));
  return Buffer.from(
    [
      `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? "Error"}`,
      "connection: close",
      `date: ${new Date().toUTCString()}`,
      "content-type: application/json",
      `content-length: ${Buffer.byteLength(body)}`,
      `x-should-retry: ${retryable}`,
      "",
      body,
    ].join("\r\n"),
  );
}

export const NO_TUNNELS: RawRefusal = {
  code: "method_not_allowed",
  message: "CONNECT is not served: this is no proxy for other hosts.",
};
export const NO_BODY: RawRefusal = malformed(
  "The request's body cannot be read in one way only: its chunks are malformed.",
);
export const TOO_SLOW: RawRefusal = {
  code: "request_timeout",
  message: "The request did not come to its end in time.",
};
export const SILENT: RawRefusal = {
  code: "request_timeout",
  message: "The request's body did not come to its end, and nothing more of it came for too long.",
};
