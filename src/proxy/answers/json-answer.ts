import { Buffer } from "node:buffer";
import { NO_QUANTITIES, type Quantities } from "../../core/usage/quantities.ts";
import { approximateTokensOf } from "../../tokenizer/approximate-tokens.ts";
import { readScannedFields } from "../../wire/json/read-scanned-fields.ts";
import { SoughtNames } from "../../wire/json/sought-names.ts";
import { TopLevelScanner } from "../../wire/json/top-level-scanner.ts";
import { readAnswerError } from "../../wire/openai/answer-error.ts";
import {
  NO_FACTS,
  NO_TEXT,
  type CountableText,
  type JsonObject,
  type Operation,
  type ResponseFacts,
} from "../../wire/openai/operation.ts";
import type { Answer, Send } from "./answer.ts";

export interface JsonAnswerOptions {
  readonly operation: Operation;
  /** Up to here the body is held, so that its cost can stand in the head; beyond, it is sent on as it comes. */
  readonly maxHeldBytes: number;
}

/** Made once for each operation. Memory of a pure function: nobody can tell whether it is there. */
const wantedNames = new WeakMap<Operation, SoughtNames>();

function wantedOf(operation: Operation): SoughtNames {
  let wanted = wantedNames.get(operation);
  if (wanted === undefined) {
    wanted = new SoughtNames([...operation.responseFields, "error"]);
    wantedNames.set(operation, wanted);
  }
  return wanted;
}

/** A JSON answer: held until it is whole, unless it is large. Either way its bytes are not changed. */
export class JsonAnswer implements Answer {
  readonly #options: JsonAnswerOptions;
  readonly #send: Send;
  readonly #scanner: TopLevelScanner;
  #held: Buffer[] = [];
  #bytes = 0;
  #isHeadHeld = true;
  #body: Buffer | undefined;
  #facts: ResponseFacts = NO_FACTS;
  #isUnderstood = false;

  constructor(send: Send, options: JsonAnswerOptions) {
    this.#send = send;
    this.#options = options;
    this.#scanner = new TopLevelScanner(
      wantedOf(options.operation),
      options.operation.maxFieldBytes,
    );
  }

  get isHeadHeld(): boolean {
    return this.#isHeadHeld;
  }

  push(chunk: Buffer): void {
    this.#scanner.push(chunk);
    this.#bytes += chunk.length;
    if (!this.#isHeadHeld) {
      this.#send(chunk);
      return;
    }
    this.#held.push(chunk);
    if (this.#bytes <= this.#options.maxHeldBytes) return;
    this.#isHeadHeld = false;
    for (const piece of this.#held) this.#send(piece);
    this.#held = [];
  }

  finish(): Buffer | undefined {
    const scan = this.#scanner.finish();
    if (scan !== undefined) {
      this.#isUnderstood = true;
      const fields = readScannedFields(scan);
      const error = readAnswerError(fields);
      const facts = this.#options.operation.readResponse(fields);
      this.#facts = error === null ? facts : { ...facts, error };
    }
    if (!this.#isHeadHeld) return undefined;
    this.#body = this.#held.length === 1 ? this.#held[0] : Buffer.concat(this.#held);
    this.#held = [];
    return this.#body;
  }

  facts(): ResponseFacts {
    return this.#facts;
  }

  isUnderstood(): boolean {
    return this.#isUnderstood;
  }

  deliveredUnits(): Quantities {
    return NO_QUANTITIES;
  }

  isUsageCurrent(): boolean {
    return true;
  }

  /**
   * Read of an answer that was held: a large one is too large to parse on the event loop, and counts by its size. Of an
   * answer that broke off the raw bytes count as text, which is a little too much rather than too little.
   */
  deliveredText(): CountableText {
    if (this.#options.operation.isOutputCharged === false) return NO_TEXT;
    if (!this.#isHeadHeld) return { texts: [], framingTokens: approximateTokensOf(this.#bytes) };
    if (this.#body === undefined) {
      return { texts: this.#held.map((piece) => piece.toString("utf8")), framingTokens: 0 };
    }
    try {
      return this.#options.operation.answerText(
        JSON.parse(this.#body.toString("utf8").replace(/^\uFEFF/, "")) as JsonObject,
      );
    } catch {
      return NO_TEXT; // Not JSON after all: there is no text to count.
    }
  }
}
