import { STATUS_CODES } from "node:http";
import { ERROR_CODES, type ErrorCode } from "../core/errors/codes.ts";
import { createErrorBody } from "../wire/openai/error-body.ts";

/** An answer to what is no request, or none that is handed on. */
export interface RawError {
  readonly status: number;
  /** Names and values in turn. */
  readonly headers: string[];
  readonly body: Buffer;
  /** As it is sent where there is no response to send it with: the last one on its connection. */
  readonly message: Buffer;
}

export function formatRawError(code: ErrorCode, message: string): RawError {
  const { status, retryable } = ERROR_CODES[code];
  const body = Buffer.from(JSON.stringify(createErrorBody(code, message)));
  const headers = [
    "content-type",
    "application/json",
    "content-length",
    String(body.length),
    "x-should-retry",
    String(retryable),
  ];
  let head = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? "Error"}\r\nconnection: close\r\n`;
  for (let i = 0; i < headers.length; i += 2) head += `${headers[i]}: ${headers[i + 1]}\r\n`;
  return { status, headers, body, message: Buffer.concat([Buffer.from(`${head}\r\n`), body]) };
}
