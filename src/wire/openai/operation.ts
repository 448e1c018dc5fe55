/**
 * One metered endpoint of the OpenAI API as the data plane needs to know it: where its usage stands, in JSON and in
 * a stream. An operation reads formats; it opens no socket, knows no price and no provider's name.
 */
import type { Quantities } from "../../core/usage/quantities.ts";

export type JsonObject = Readonly<Record<string, unknown>>;

/** What an answer says of itself. Null = it does not say. */
export interface ResponseFacts {
  readonly responseId: string | null;
  readonly servedModel: string | null;
  readonly serviceTier: string | null;
  /** Disjoint classes; null when no (valid) usage is reported. An explicit zero is a report. */
  readonly quantities: Quantities | null;
}

/** Text to be counted by a tokenizer where usage was not reported. */
export interface CountableText {
  readonly texts: readonly string[];
  /** Tokens that the format adds around the texts (message and reply framing). */
  readonly framingTokens: number;
}

export interface Operation {
  /** Stands in `usage_event.operation`. */
  readonly name: string;
  /** Data-plane path, matched exactly: `/v1/chat/completions`. The method is POST. */
  readonly path: string;
  /** Whether a stream reports usage only when `stream_options.include_usage` asks for it. */
  readonly needsIncludeUsage: boolean;
  /** Top-level fields of the answer that `readResponse` looks at; the others may be absent from what it is given. */
  readonly responseFields: readonly string[];
  readResponse(body: JsonObject): ResponseFacts;
  /** Facts in one stream event's `data` (parsed); a field that the event does not name is null. */
  readStreamEvent(data: JsonObject): ResponseFacts;
  /** Whether the event carries usage and nothing that a client which did not ask for usage would expect. */
  isUsageOnlyEvent(data: JsonObject): boolean;
  /** Text of the request (parsed body) that the provider counts as input. */
  promptText(body: JsonObject): CountableText;
  /** Text of a complete JSON answer that counts as output. */
  answerText(body: JsonObject): CountableText;
  /** Text that one stream event delivered. */
  deliveredText(data: JsonObject): readonly string[];
}
