/**
 * Reads chosen small text fields of a multipart/form-data body while its bytes pass, without keeping the files in it.
 * Format: RFC 7578 over RFC 2046, section 5.1. It is strict: what two servers could read in two ways makes the whole form
 * unreadable, because a field found here decides what a call may do and what it costs.
 */

/** A boundary has 1 to 70 characters. */
const MAX_BOUNDARY_CHARACTERS = 70;
const MAX_HEADER_BYTES = 8 * 1024;
const MAX_VALUE_BYTES = 4 * 1024;

const LINE_END = Buffer.from("\r\n");
const HEADERS_END = Buffer.from("\r\n\r\n");
const DASH = 0x2d;

/** What the next bytes are. */
const BEFORE_FIRST_PART = 0;
const AFTER_DELIMITER = 1;
const IN_HEADERS = 2;
const IN_CONTENT = 3;
const CLOSED = 4;
const BROKEN = 5;

export class FormFieldScanner {
  readonly #wanted: ReadonlySet<string>;
  readonly #delimiter: Buffer;
  readonly #values = new Map<string, string | undefined>();
  #state = BEFORE_FIRST_PART;
  /** Bytes that could not be judged yet. */
  #pending: Buffer = LINE_END;
  /** The wanted field whose content is being read. */
  #name: string | undefined;
  #content: Buffer[] = [];
  #contentBytes = 0;
  #duplicate: string | undefined;

  constructor(boundary: string, wanted: ReadonlySet<string>) {
    this.#wanted = wanted;
    this.#delimiter = Buffer.from(`--${boundary}`, "latin1");
  }

  /** True once the form's closing delimiter was read: no field can follow. */
  get isClosed(): boolean {
    return this.#state === CLOSED;
  }

  /** A wanted field that the form has more than once. */
  get duplicate(): string | undefined {
    return this.#duplicate;
  }

  /** Whether the field was read to its end. */
  has(name: string): boolean {
    return this.#values.has(name);
  }

  /** The field's text; undefined when it is absent, longer than 4 KiB, there twice, or in a form that can't be read. */
  field(name: string): string | undefined {
    if (this.#state === BROKEN || this.#duplicate === name) return undefined;
    return this.#values.get(name);
  }

  push(chunk: Buffer): void {
    if (this.#state === CLOSED || this.#state === BROKEN) return;
    const data = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk]);
    let at = 0;
    for (let next = this.#step(data, at); next !== undefined; next = this.#step(data, at)) {
      at = next;
    }
    // A copy: the chunk may be reused by its owner.
    const isOver = this.#state === CLOSED || this.#state === BROKEN;
    this.#pending = isOver ? Buffer.alloc(0) : Buffer.from(data.subarray(this.#unread(data, at)));
  }

  /** Where to go on reading; undefined when more bytes are needed. */
  #step(data: Buffer, at: number): number | undefined {
    switch (this.#state) {
      case BEFORE_FIRST_PART:
      case IN_CONTENT:
        return this.#passContent(data, at);
      case AFTER_DELIMITER:
        return this.#passDelimiter(data, at);
      case IN_HEADERS:
        return this.#passHeaders(data, at);
      default:
        return undefined;
    }
  }

  #passContent(data: Buffer, at: number): number | undefined {
    const found = data.indexOf(this.#delimiter, at);
    if (found === -1) return undefined;
    const end = found - LINE_END.length;
    if (end < at || !data.subarray(end, found).equals(LINE_END)) return this.#break();
    this.#keep(data.subarray(at, end));
    this.#endPart();
    this.#state = AFTER_DELIMITER;
    return found + this.#delimiter.length;
  }

  /** What may be a beginning of the delimiter, with the line end before it, stays; the content before it is done with. */
  #unread(data: Buffer, at: number): number {
    if (this.#state !== IN_CONTENT && this.#state !== BEFORE_FIRST_PART) return at;
    const safe = Math.max(at, data.length - this.#delimiter.length - LINE_END.length + 1);
    this.#keep(data.subarray(at, safe));
    return safe;
  }

  #passDelimiter(data: Buffer, at: number): number | undefined {
    if (data.length < at + 2) return undefined;
    if (data[at] === DASH && data[at + 1] === DASH) {
      this.#state = CLOSED;
      return undefined;
    }
    if (!data.subarray(at, at + 2).equals(LINE_END)) return this.#break();
    this.#state = IN_HEADERS;
    // The line end stays: with it, a part without headers ends them just as one with headers does.
    return at;
  }

  #passHeaders(data: Buffer, at: number): number | undefined {
    const found = data.indexOf(HEADERS_END, at);
    const length = (found === -1 ? data.length : found) - at;
    if (length > MAX_HEADER_BYTES) return this.#break();
    if (found === -1) return undefined;
    const name = readPartName(data.toString("utf8", at, found));
    if (name === undefined) return this.#break();
    this.#name = this.#wanted.has(name) ? name : undefined;
    this.#state = IN_CONTENT;
    // A delimiter may follow at once; the line end before it is then the one that ends the headers.
    return found + LINE_END.length;
  }

  #keep(content: Buffer): void {
    if (this.#name === undefined || content.length === 0) return;
    this.#contentBytes += content.length;
    if (this.#contentBytes <= MAX_VALUE_BYTES + LINE_END.length) {
      this.#content.push(Buffer.from(content));
    }
  }

  #endPart(): void {
    const name = this.#name;
    if (name !== undefined) {
      // The first line end is the one that ended the headers.
      const bytes = Buffer.concat(this.#content).subarray(LINE_END.length);
      const isWhole = this.#contentBytes <= MAX_VALUE_BYTES + LINE_END.length;
      if (this.#values.has(name)) this.#duplicate ??= name;
      this.#values.set(name, isWhole ? bytes.toString("utf8") : undefined);
    }
    this.#name = undefined;
    this.#content = [];
    this.#contentBytes = 0;
  }

  #break(): undefined {
    this.#state = BROKEN;
    return undefined;
  }
}

/** The boundary that a content type names; undefined for what is no form, or names none that is usable. */
export function readFormBoundary(contentType: string | undefined): string | undefined {
  if (contentType === undefined || !/^\s*multipart\/form-data\s*;/i.test(contentType)) {
    return undefined;
  }
  const named = [...contentType.matchAll(/;\s*boundary=(?:"([^"\\]*)"|([^\s;"]*))/gi)];
  if (named.length !== 1) return undefined;
  const boundary = named[0]?.[1] ?? named[0]?.[2] ?? "";
  return boundary === "" || boundary.length > MAX_BOUNDARY_CHARACTERS ? undefined : boundary;
}

/**
 * The field's name in a part's headers. Undefined where servers may disagree on it: no name or two, one in RFC 5987's
 * coding (which RFC 7578 forbids), folded lines, a content that is encoded.
 */
function readPartName(headers: string): string | undefined {
  const lines = headers.split("\r\n").filter((line) => line !== "");
  if (lines.some((line) => /^[ \t]|[\r\n]/.test(line))) return undefined;
  if (lines.some((line) => /^content-transfer-encoding\s*:\s*(?!binary|8bit|7bit)/i.test(line))) {
    return undefined;
  }
  const dispositions = lines.filter((line) => /^content-disposition\s*:/i.test(line));
  if (dispositions.length !== 1) return undefined;
  // Quoted texts of other parameters (a file's name) could hold anything that looks like a name.
  const parameters = [
    ...(dispositions[0] ?? "").matchAll(/;\s*([\w*-]+)\s*=\s*("(?:[^"\\]|\\.)*"|[^\s;"]*)/g),
  ];
  const names = parameters.filter(([, key]) => /^name\*?$/i.test(key ?? ""));
  if (names.length !== 1 || names[0]?.[1]?.endsWith("*") === true) return undefined;
  const raw = names[0]?.[2] ?? "";
  return raw.startsWith('"') ? raw.slice(1, -1).replace(/\\(.)/g, "$1") : raw;
}
