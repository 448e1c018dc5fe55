import { createHash, type Hash } from "node:crypto";

export interface MultipartFile {
  readonly field: string;
  readonly filename: string;
  readonly bytes: number;
  readonly sha256: string;
  /** Null where it has more bytes than are kept. */
  readonly content: Buffer | null;
}

export interface MultipartForm {
  readonly fields: ReadonlyMap<string, string>;
  readonly files: readonly MultipartFile[];
}

const MAX_PARTS = 64;
const MAX_PART_HEADER_BYTES = 4096;
const MAX_FIELD_BYTES = 64 * 1024;
const LINE_END = Buffer.from("\r\n");
const HEADER_END = Buffer.from("\r\n\r\n");

/** The boundary of a `multipart/form-data` content type; undefined for anything else. */
export function multipartBoundary(contentType: string | undefined): string | undefined {
  if (contentType === undefined || !/^multipart\/form-data\s*;/i.test(contentType))
    return undefined;
  const match = /;\s*boundary=(?:"([^"\r\n]{1,70})"|([^\s;"]{1,70}))/i.exec(contentType);
  return match?.[1] ?? match?.[2];
}

/**
 * Reads a form in pieces as they arrive. A file is counted and hashed; of its bytes it keeps no more than it is told. Source of the
 * format: RFC 7578 and RFC 2046 section 5.1.
 */
export class MultipartReader {
  readonly #delimiter: Buffer;
  readonly #keptFileBytes: number;
  /** What has arrived and is not yet known to be part of a body, a header or a delimiter. */
  #rest: Buffer;
  #state: "preamble" | "afterDelimiter" | "header" | "body" | "end" = "preamble";
  #part: Part | undefined;
  #parts = 0;
  readonly #fields = new Map<string, string>();
  readonly #files: MultipartFile[] = [];

  constructor(boundary: string, keptFileBytes = 0) {
    this.#keptFileBytes = keptFileBytes;
    this.#delimiter = Buffer.from(`\r\n--${boundary}`);
    // The first delimiter stands at the very start: give it the line end that the others have.
    this.#rest = LINE_END;
  }

  /** False when the bytes are no form, or one past the limits; nothing more need be written then. */
  write(bytes: Uint8Array): boolean {
    this.#rest = this.#rest.length === 0 ? Buffer.from(bytes) : Buffer.concat([this.#rest, bytes]);
    for (;;) {
      const outcome = this.#step();
      if (outcome !== "again") return outcome === "more";
    }
  }

  /** The form, or undefined when it broke off. */
  end(): MultipartForm | undefined {
    return this.#state === "end" ? { fields: this.#fields, files: this.#files } : undefined;
  }

  #step(): "again" | "more" | "malformed" {
    switch (this.#state) {
      case "preamble":
      case "body":
        return this.#readToDelimiter();
      case "afterDelimiter":
        return this.#readAfterDelimiter();
      case "header":
        return this.#readHeader();
      case "end":
      default:
        // The epilogue is no part of the form.
        this.#rest = this.#rest.subarray(this.#rest.length);
        return "more";
    }
  }

  #readToDelimiter(): "again" | "more" | "malformed" {
    const at = this.#rest.indexOf(this.#delimiter);
    // Without a delimiter in sight, all but what could be the start of one belongs to the body.
    const end = at === -1 ? Math.max(0, this.#rest.length - this.#delimiter.length + 1) : at;
    if (this.#part?.take(this.#rest.subarray(0, end)) === false) return "malformed";
    if (at === -1) {
      this.#rest = this.#rest.subarray(end);
      return "more";
    }
    this.#finishPart();
    this.#rest = this.#rest.subarray(at + this.#delimiter.length);
    this.#state = "afterDelimiter";
    return "again";
  }

  #readAfterDelimiter(): "again" | "more" | "malformed" {
    if (this.#rest.length < 2) return "more";
    const mark = this.#rest.toString("latin1", 0, 2);
    if (mark !== "--" && mark !== "\r\n") return "malformed";
    this.#state = mark === "--" ? "end" : "header";
    // The line end stays, so that a part without any header still ends in a blank line.
    this.#rest = mark === "--" ? this.#rest.subarray(2) : this.#rest;
    return "again";
  }

  #readHeader(): "again" | "more" | "malformed" {
    const at = this.#rest.indexOf(HEADER_END);
    if (at === -1) return this.#rest.length > MAX_PART_HEADER_BYTES ? "malformed" : "more";
    this.#parts += 1;
    this.#part = Part.fromHeader(this.#rest.toString("utf8", 0, at), this.#keptFileBytes);
    this.#rest = this.#rest.subarray(at + HEADER_END.length);
    this.#state = "body";
    return this.#part === undefined || this.#parts > MAX_PARTS ? "malformed" : "again";
  }

  /** Of `name[]` there may be several; they are parted by commas. */
  #setField(name: string, text: string): void {
    const before = name.endsWith("[]") ? this.#fields.get(name) : undefined;
    this.#fields.set(name, before === undefined ? text : `${before},${text}`);
  }

  #finishPart(): void {
    const part = this.#part;
    this.#part = undefined;
    if (part === undefined) return;
    if (part.filename === undefined) this.#setField(part.name, part.text());
    else this.#files.push(part.file(part.filename));
  }
}

class Part {
  readonly name: string;
  readonly filename: string | undefined;
  readonly #hash: Hash = createHash("sha256");
  readonly #keptFileBytes: number;
  #pieces: Uint8Array[] = [];
  #bytes = 0;

  constructor(name: string, filename: string | undefined, keptFileBytes: number) {
    this.name = name;
    this.filename = filename;
    this.#keptFileBytes = keptFileBytes;
  }

  static fromHeader(header: string, keptFileBytes: number): Part | undefined {
    const disposition = /^content-disposition:\s*form-data\s*;(.*)$/im.exec(header)?.[1];
    if (disposition === undefined) return undefined;
    const name = /(?:^|;)\s*name="([^"]*)"/i.exec(disposition)?.[1];
    const filename = /(?:^|;)\s*filename="([^"]*)"/i.exec(disposition)?.[1];
    return name === undefined ? undefined : new Part(name, filename, keptFileBytes);
  }

  /** False when a field, which is kept in memory, grows too large. */
  take(bytes: Uint8Array): boolean {
    this.#bytes += bytes.length;
    if (this.filename !== undefined) {
      this.#hash.update(bytes);
      if (this.#bytes > this.#keptFileBytes) this.#pieces = [];
      else this.#pieces.push(Buffer.from(bytes));
      return true;
    }
    if (this.#bytes > MAX_FIELD_BYTES) return false;
    this.#pieces.push(Buffer.from(bytes));
    return true;
  }

  text(): string {
    return Buffer.concat(this.#pieces).toString("utf8");
  }

  file(filename: string): MultipartFile {
    return {
      field: this.name,
      filename,
      bytes: this.#bytes,
      sha256: this.#hash.digest("hex"),
      content: this.#bytes > this.#keptFileBytes ? null : Buffer.concat(this.#pieces),
    };
  }
}
