import { STATUS_CODES } from "node:http";
import { parseLength } from "./field-text.ts";
import { checkSendable, type ReadyFields } from "./ready-fields.ts";

export interface FormattedHead {
  /** The status line and the fields that were given, each with its line end. */
  lines: string;
  readonly contentLength: number | undefined;
  /** Answers of this status have no body. */
  readonly isBodyless: boolean;
  /** False where the fields say that the connection is closed behind the answer. */
  readonly isKept: boolean;
  readonly hasDate: boolean;
}

/**
 * The head of a reply as text, without the fields that belong to the connection. Throws at a field that cannot be sent:
 * nothing of such an answer may get to the client.
 */
export function formatHead(
  status: number,
  headers: readonly string[],
  ready?: ReadyFields,
): FormattedHead {
  let lines = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? "unknown"}\r\n${ready?.lines ?? ""}`;
  let contentLength: number | undefined;
  let isKept = true;
  let hasDate = false;
  let names = "";
  let values = "";
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i] as string;
    const value = headers[i + 1] as string;
    if (name === "") throw new Error("a header of a reply has no name");
    names += name;
    values += value;
    if (name === "connection") isKept = value !== "close";
    else if (name === "content-length") contentLength = readLength(value, contentLength);
    else if (name === "date") hasDate = true;
    if (name !== "connection" && name !== "transfer-encoding") lines += `${name}: ${value}\r\n`;
  }
  checkSendable(headers, names, values);
  return { lines, contentLength, isBodyless: status === 204 || status === 304, isKept, hasDate };
}

function readLength(value: string, before: number | undefined): number {
  const length = parseLength(value);
  if (before !== undefined || length === undefined) {
    throw new Error("a reply has one length, in digits");
  }
  return length;
}
