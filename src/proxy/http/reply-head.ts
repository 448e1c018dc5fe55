import { STATUS_CODES } from "node:http";

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

/** RFC 9110, section 5.6.2; field names of our own are in lower case, and so are undici's. */
const FIELD_NAME = /^[!#$%&'*+.^_`|~0-9a-z-]+$/;
/** What no field may hold: a line end in it would begin another field, or another message. */
// eslint-disable-next-line no-control-regex
export const FORBIDDEN_IN_VALUE = /[^\t\u0020-\u007e\u0080-\u00ff]/;

/**
 * The head of a reply as text, without the fields that belong to the connection. Throws at a field that cannot be sent:
 * nothing of such an answer may get to the client.
 */
export function formatHead(status: number, headers: readonly string[]): FormattedHead {
  let lines = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? "unknown"}\r\n`;
  let contentLength: number | undefined;
  let isKept = true;
  let hasDate = false;
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i] as string;
    const value = headers[i + 1] as string;
    if (!FIELD_NAME.test(name) || FORBIDDEN_IN_VALUE.test(value)) {
      throw new Error(`a reply cannot have such a header: ${JSON.stringify(name.slice(0, 100))}`);
    }
    if (name === "connection") isKept = value !== "close";
    else if (name === "content-length") contentLength = readLength(value, contentLength);
    else if (name === "date") hasDate = true;
    if (name !== "connection" && name !== "transfer-encoding") lines += `${name}: ${value}\r\n`;
  }
  return { lines, contentLength, isBodyless: status === 204 || status === 304, isKept, hasDate };
}

function readLength(value: string, before: number | undefined): number {
  if (before !== undefined || !/^\d{1,15}$/.test(value)) {
    throw new Error("a reply has one length, in digits");
  }
  return Number(value);
}
