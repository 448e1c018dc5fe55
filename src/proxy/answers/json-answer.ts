import { TopLevelScanner, type TopLevelScan } from "../../wire/json/top-level-scanner.ts";
import type {
  CountableText,
  JsonObject,
  Operation,
  ResponseFacts,
} from "../../wire/openai/operation.ts";
import { NO_FACTS, NO_TEXT, type Answer, type Send } from "./answer.ts";

export interface JsonAnswerOptions {
  readonly operation: Operation;
  /** Up to here the body is held, so that its cost can stand in the head; beyond, it is sent on as it comes. */
  readonly maxHeldBytes: number;
}

/** A JSON answer: held until it is whole, unless it is large. Either way its bytes are not changed. */
export class JsonAnswer implements Answer {
  readonly #options: JsonAnswerOptions;
  readonly #send: Send;
  readonly #scanner: TopLevelScanner;
  #held: Buffer[] = [];
  #heldBytes = 0;
  #isHeadHeld = true;
  #body: Buffer | undefined;
  #facts: ResponseFacts = NO_FACTS;
  #isUnderstood = false;

  constructor(send: Send, options: JsonAnswerOptions) {
    this.#send = send;
    this.#options = options;
    this.#scanner = new TopLevelScanner(new Set(options.operation.responseFields));
  }

  get isHeadHeld(): boolean {
    return this.#isHeadHeld;
  }

  push(chunk: Buffer): void {
    this.#scanner.push(chunk);
    if (!this.#isHeadHeld) {
      this.#send(chunk);
      return;
    }
    this.#held.push(chunk);
    this.#heldBytes += chunk.length;
    if (this.#heldBytes <= this.#options.maxHeldBytes) return;
    this.#isHeadHeld = false;
    for (const piece of this.#held) this.#send(piece);
    this.#held = [];
  }

  finish(): Buffer | undefined {
    const scan = this.#scanner.finish();
    if (scan !== undefined) {
      this.#isUnderstood = true;
      this.#facts = this.#options.operation.readResponse(readFields(scan));
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

  isUsageCurrent(): boolean {
    return true;
  }

  /**
   * Only of an answer that was held: a large one is too large to parse on the event loop. Of an answer that broke off
   * the raw bytes count as text, which is a little too much rather than too little.
   */
  deliveredText(): CountableText {
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

/** The scanned members as an object; one that is too long or malformed is left out. */
function readFields(scan: TopLevelScan): JsonObject {
  const object: Record<string, unknown> = {};
  for (const [name, field] of scan.fields) {
    if (field.text === undefined) continue;
    try {
      object[name] = JSON.parse(field.text);
    } catch {
      // A malformed value reports nothing.
    }
  }
  return object;
}
