import type { Quantities } from "../../core/usage/quantities.ts";
import type { CountableText, ResponseFacts } from "../../wire/openai/operation.ts";

/**
 * A provider's answer on its way to the client: what it forwards, what it holds back, and what it has learned of the
 * call's usage. One implementation for each way of answering.
 */
export interface Answer {
  /** True while the head must wait, because the body decides what stands in it. */
  readonly isHeadHeld: boolean;
  /** Takes the next bytes (decoded) and sends on what may go. */
  push(chunk: Buffer): void;
  /** The provider's answer is whole: the bytes that were held back, to be sent with the end. */
  finish(): Buffer | undefined;
  /** What the answer says of itself so far. */
  facts(): ResponseFacts;
  /** Whether the body was in a form that could be read; false leaves the call's usage unknown. */
  isUnderstood(): boolean;
  /** Whether nothing was delivered since the usage that `facts` holds. */
  isUsageCurrent(): boolean;
  /** Text that the client was given, for counting when usage was not reported. */
  deliveredText(): CountableText;
  /** What else the client was given and what is charged (calls of the provider's tools), where usage was not reported. */
  deliveredUnits(): Quantities;
}

/** Sends bytes on to the client. */
export type Send = (bytes: Buffer) => void;
