/** Reads HTTP/1.1 answers strictly (RFC 9112): a client that is lenient would hide what a proxy could stumble over. */

export interface ParsedResponse {
  readonly status: number;
  /** By lower-case name; a name that came twice is an error but for the few that may. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Buffer;
}

export interface ParsedResponses {
  /** Final answers, in order. */
  readonly responses: readonly ParsedResponse[];
  readonly interim: readonly number[];
  /** What follows them and is not a whole answer yet. */
  readonly rest: Buffer;
}

const STATUS_LINE = /^HTTP\/1\.1 ([1-9]\d\d) [\t\x20-\x7e\x80-\xff]*$/;
const FIELD_LINE = /^([!#$%&'*+.^_`|~\w-]+): ([\t\x20-\x7e\x80-\xff]*)$/;

export class MalformedAnswerError extends Error {}

export function parseResponses(
  bytes: Buffer,
  methods: readonly string[],
  isEnded: boolean,
): ParsedResponses {
  const responses: ParsedResponse[] = [];
  const interim: number[] = [];
  let rest = bytes;
  while (rest.length > 0) {
    const one = parseOne(rest, methods[responses.length] ?? "GET", isEnded);
    if (one === undefined) break;
    rest = rest.subarray(one.end);
    if (one.response.status < 200) interim.push(one.response.status);
    else responses.push(one.response);
  }
  return { responses, interim, rest };
}

/** Undefined while it is not whole. */
function parseOne(
  bytes: Buffer,
  method: string,
  isEnded: boolean,
): { readonly response: ParsedResponse; readonly end: number } | undefined {
  const headEnd = bytes.indexOf("\r\n\r\n");
  if (headEnd === -1) {
    const begin = bytes.toString("latin1", 0, 9);
    if (!"HTTP/1.1 ".startsWith(begin.slice(0, 9))) throw malformed("no answer begins so", bytes);
    return undefined;
  }
  const [statusLine = "", ...lines] = bytes.toString("latin1", 0, headEnd).split("\r\n");
  const status = STATUS_LINE.exec(statusLine)?.[1];
  if (status === undefined) throw malformed("not a status line", bytes);
  const headers = new Map<string, string>();
  for (const line of lines) {
    const [, name = "", value = ""] = FIELD_LINE.exec(line) ?? [];
    if (name === "") throw malformed(`not a field line: ${JSON.stringify(line)}`, bytes);
    if (headers.has(name.toLowerCase()) && FRAMING.has(name.toLowerCase())) {
      throw malformed(`${name} twice`, bytes);
    }
    headers.set(name.toLowerCase(), value);
  }
  const head = { status: Number(status), headers };
  const framed = readBody(bytes.subarray(headEnd + 4), { head, method, isEnded });
  if (framed === undefined) return undefined;
  return { response: { ...head, body: framed.body }, end: headEnd + 4 + framed.length };
}

const FRAMING: ReadonlySet<string> = new Set(["content-length", "transfer-encoding"]);

interface Framing {
  readonly head: Pick<ParsedResponse, "status" | "headers">;
  readonly method: string;
  readonly isEnded: boolean;
}

function readBody(
  bytes: Buffer,
  { head, method, isEnded }: Framing,
): { readonly body: Buffer; readonly length: number } | undefined {
  const { status, headers } = head;
  const isBodyless = status < 200 || status === 204 || status === 304 || method === "HEAD";
  if (isBodyless) return { body: Buffer.alloc(0), length: 0 };
  const coding = headers.get("transfer-encoding");
  const declared = headers.get("content-length");
  if (coding !== undefined && declared !== undefined) throw malformed("framed twice", bytes);
  if (coding !== undefined) {
    if (coding !== "chunked") throw malformed(`transfer-encoding ${coding}`, bytes);
    return readChunks(bytes);
  }
  if (declared === undefined) return isEnded ? { body: bytes, length: bytes.length } : undefined;
  if (!/^\d{1,12}$/.test(declared)) throw malformed(`content-length ${declared}`, bytes);
  const length = Number(declared);
  return bytes.length < length ? undefined : { body: bytes.subarray(0, length), length };
}

function readChunks(bytes: Buffer): { readonly body: Buffer; readonly length: number } | undefined {
  const pieces: Buffer[] = [];
  let at = 0;
  for (;;) {
    const lineEnd = bytes.indexOf("\r\n", at);
    if (lineEnd === -1) return undefined;
    const line = bytes.toString("latin1", at, lineEnd);
    if (!/^[\da-f]{1,8}$/i.test(line)) throw malformed(`a chunk of ${JSON.stringify(line)}`, bytes);
    const size = Number.parseInt(line, 16);
    const start = lineEnd + 2;
    if (bytes.length < start + size + 2) return undefined;
    if (bytes.toString("latin1", start + size, start + size + 2) !== "\r\n") {
      throw malformed("a chunk that does not end", bytes);
    }
    if (size === 0) return { body: Buffer.concat(pieces), length: start + 2 };
    pieces.push(bytes.subarray(start, start + size));
    at = start + size + 2;
  }
}

function malformed(what: string, bytes: Buffer): MalformedAnswerError {
  return new MalformedAnswerError(`${what}: ${JSON.stringify(bytes.toString("latin1", 0, 400))}`);
}
