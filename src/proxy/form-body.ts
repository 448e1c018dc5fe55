import { FormFieldScanner } from "../wire/multipart/form-field-scanner.ts";
import type { JsonObject } from "../wire/openai/operation.ts";
import { BodyStream } from "./body-stream.ts";
import type { PeekedBody } from "./call.ts";
import type { RequestBody } from "./gateway-request.ts";
import { readAhead, type ReadAhead } from "./read-ahead.ts";

/** The text fields that the gateway acts upon, of all endpoints that are sent a form. */
const FORM_FIELDS = [
  "model",
  "stream",
  "response_format",
  "n",
  "quality",
  "size",
  "user",
  "safety_identifier",
] as const;
const WANTED: ReadonlySet<string> = new Set(FORM_FIELDS);

export interface FormBodyOptions {
  readonly boundary: string;
  /** At most this much is held in memory; a longer form is streamed on. */
  readonly maxHeldBytes: number;
  /** Whether so many more bytes may be held: where not, reading ends there. */
  readonly mayHold: (bytes: number) => boolean;
  /** Reads to the form's end where that is possible, because what stands there must be known before the call is sent. */
  readonly isReadToEnd: boolean;
}

/**
 * A form on its way to the provider. It is read ahead until its model is known, which may stand behind a file, and
 * streamed from there on; fields that stand behind are known once they have passed.
 */
export class FormBody implements PeekedBody {
  readonly scan = null;
  readonly otherModels = [];
  readonly #scanner: FormFieldScanner;
  readonly #body: RequestBody;
  readonly #read: Buffer;
  readonly #isWhole: boolean;

  private constructor(body: RequestBody, scanner: FormFieldScanner, { bytes, isWhole }: ReadAhead) {
    this.#body = body;
    this.#scanner = scanner;
    this.#read = bytes;
    this.#isWhole = isWhole;
  }

  /** Rejects when the client breaks off. */
  static async read(body: RequestBody, options: FormBodyOptions): Promise<FormBody> {
    const scanner = new FormFieldScanner(options.boundary, WANTED);
    const read = await readAhead(body, {
      limitBytes: options.maxHeldBytes,
      onChunk: (chunk) => {
        scanner.push(chunk);
        if (!options.mayHold(chunk.length)) return true;
        return !options.isReadToEnd && scanner.has("model");
      },
    });
    return new FormBody(body, scanner, read);
  }

  /** Null while the form is streamed: it can't be sent a second time. */
  get bytes(): Buffer | null {
    return this.#isWhole ? this.#read : null;
  }

  /** A field that is there twice; which one counts would be a guess. */
  get duplicate(): string | undefined {
    return this.#scanner.duplicate;
  }

  /** Whether all fields are known. */
  get isComplete(): boolean {
    return this.#isWhole && this.#scanner.isClosed;
  }

  get model(): string | null {
    return this.#scanner.field("model") ?? null;
  }

  get isStream(): boolean {
    return this.#scanner.field("stream")?.toLowerCase() === "true";
  }

  get endUser(): string | null {
    return this.#scanner.field("safety_identifier") ?? this.#scanner.field("user") ?? null;
  }

  /** The fields that are known by now. */
  fields(): JsonObject {
    return Object.fromEntries(
      FORM_FIELDS.map((name) => [name, this.#scanner.field(name)] as const).filter(
        ([, value]) => value !== undefined,
      ),
    );
  }

  /** What was read, and the rest as it comes, which is looked at as the provider is sent it. */
  stream(): BodyStream {
    return new BodyStream(this.#body, {
      before: this.#read,
      onChunk: (chunk) => this.#scanner.push(chunk),
    });
  }
}
