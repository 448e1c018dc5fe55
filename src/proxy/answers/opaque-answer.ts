import { NO_QUANTITIES, type Quantities } from "../../core/usage/quantities.ts";
import {
  NO_FACTS,
  NO_TEXT,
  type CountableText,
  type ResponseFacts,
} from "../../wire/openai/operation.ts";
import type { Answer, Send } from "./answer.ts";

/** Forwards bytes and reads nothing: errors, binary answers, endpoints whose usage is not metered. */
export class OpaqueAnswer implements Answer {
  readonly #send: Send;

  constructor(send: Send) {
    this.#send = send;
  }

  get isHeadHeld(): boolean {
    return false;
  }

  push(chunk: Buffer): void {
    this.#send(chunk);
  }

  finish(): Buffer | undefined {
    return undefined;
  }

  facts(): ResponseFacts {
    return NO_FACTS;
  }

  isUnderstood(): boolean {
    return false;
  }

  isUsageCurrent(): boolean {
    return true;
  }

  deliveredUnits(): Quantities {
    return NO_QUANTITIES;
  }

  deliveredText(): CountableText {
    return NO_TEXT;
  }
}
