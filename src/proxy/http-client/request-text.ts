import { Buffer } from "node:buffer";
import type { Readable } from "node:stream";
import { areSendable, parseLength, unsendableNameIn } from "../http/field-text.ts";
import { ClientError } from "./client-error.ts";
import type { OutgoingRequest } from "./exchange-listener.ts";

export interface RequestText {
  /** The request line and all fields, with the empty line that ends them. */
  readonly head: string;
  /** How the bytes of a body that comes as a stream are framed. */
  readonly framing: "chunked" | { readonly contentLength: number };
}

/** RFC 9110, section 9.1. */
const METHOD = /^[A-Z]+$/;
/** Said by the client itself: a second one could be read in place of it, and the bytes behind it as another request. */
const OF_CONNECTION: ReadonlySet<string> = new Set([
  "connection",
  "host",
  "keep-alive",
  "transfer-encoding",
  "upgrade",
]);
/** What is printed in ASCII, as the server takes it: RFC 3986, with what clients send unescaped in practice. */
const TARGET = /^\/[!-~]*$/;
const CHUNKED: RequestText["framing"] = "chunked";
/** Methods of which a server expects that their body's length is said, be it 0. */
const WITH_BODY: ReadonlySet<string> = new Set(["POST", "PUT", "PATCH"]);

/** Throws at what cannot be sent, or could be read as more than one request: nothing of such a request may get to anybody. */
export function formatRequest(request: OutgoingRequest, host: string): RequestText {
  const { method, target, headers, body } = request;
  if (!METHOD.test(method)) throw unsendable("its method", method);
  if (!TARGET.test(target)) throw unsendable("its path", target);
  let head = `${method} ${target} HTTP/1.1\r\nhost: ${host}\r\nconnection: keep-alive\r\n`;
  let contentLength: number | undefined;
  let names = "";
  let values = "";
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i] as string;
    const value = headers[i + 1] as string;
    if (name === "" || OF_CONNECTION.has(name)) throw unsendable("a header", name);
    names += name;
    values += value;
    if (name === "content-length") contentLength = readLength(value, contentLength);
    else head += `${name}: ${value}\r\n`;
  }
  if (!areSendable(names, values)) throw unsendable("a header", unsendableNameIn(headers));
  contentLength = checkedLength(request, contentLength);
  if (contentLength !== undefined) head += `content-length: ${contentLength}\r\n`;
  else if (isStream(body)) head += "transfer-encoding: chunked\r\n";
  return {
    head: `${head}\r\n`,
    framing: contentLength === undefined ? CHUNKED : { contentLength },
  };
}

function checkedLength(
  { method, body }: OutgoingRequest,
  declared: number | undefined,
): number | undefined {
  if (isStream(body)) return declared;
  const actual = body === null ? 0 : body.length;
  if (declared !== undefined && declared !== actual) {
    throw unsendable("its content-length", `${declared} for ${actual} bytes`);
  }
  return declared ?? (actual > 0 || WITH_BODY.has(method) ? actual : undefined);
}

function isStream(body: OutgoingRequest["body"]): body is Readable {
  return body !== null && !Buffer.isBuffer(body);
}

function readLength(value: string, before: number | undefined): number {
  const length = parseLength(value);
  if (before !== undefined || length === undefined) throw unsendable("a header", "content-length");
  return length;
}

function unsendable(what: string, text: string): ClientError {
  const shown = JSON.stringify(text.slice(0, 100));
  return new ClientError("ERR_CLIENT_REQUEST", `the request cannot be sent: ${what} is ${shown}`);
}
