/**
 * One endpoint of the data plane as the gateway needs to know it: what it is sent, whether it charges, and where its
 * usage stands, in JSON and in a stream. An operation reads formats; it opens no socket, knows no price and no
 * provider's name.
 */
import type { CallBound } from "../../core/budgets/call-bound.ts";
import type { DeferredWork } from "../../core/usage/deferred-usage.ts";
import type { Quantities } from "../../core/usage/quantities.ts";
import type { TopLevelScan } from "../json/top-level-scanner.ts";

export type JsonObject = Readonly<Record<string, unknown>>;

/** What an answer says of itself. Null = it does not say. Spread `NO_FACTS` and set what is known. */
export interface ResponseFacts {
  readonly responseId: string | null;
  readonly servedModel: string | null;
  readonly serviceTier: string | null;
  /** Disjoint classes; null when no (valid) usage is reported. An explicit zero is a report. */
  readonly quantities: Quantities | null;
  /** The quantities were worked out here, from the request or the answer, and are no report of the provider's. */
  readonly isEstimate: boolean;
  /** More was consumed after this: the quantities are those at the beginning of a stream. */
  readonly isInterim: boolean;
  /** Which of a class's prices holds, where a class has several: `hd/1024x1792` of an image. */
  readonly priceVariant: string | null;
  /** Something was consumed that no quantity class holds: the quantities alone do not tell the cost. */
  readonly unpricedCharge: string | null;
  /** Work that goes on, or has ended, apart from the call; null where the answer is all there is. */
  readonly deferred: DeferredFacts | null;
  /** The code of an error that came with a status of success: in a stream, or as the body. Set by the answer's reader. */
  readonly error: string | null;
}

/** Work as one answer shows it. */
export interface DeferredFacts {
  readonly work: DeferredWork;
  /** Null while it goes on. */
  readonly ending: "succeeded" | "failed" | "interrupted" | null;
}

export const NO_FACTS: ResponseFacts = Object.freeze({
  responseId: null,
  servedModel: null,
  serviceTier: null,
  quantities: null,
  isEstimate: false,
  isInterim: false,
  priceVariant: null,
  unpricedCharge: null,
  deferred: null,
  error: null,
});

/** Text to be counted by a tokenizer where usage was not reported. */
export interface CountableText {
  readonly texts: readonly string[];
  /** Tokens that the format adds around the texts (message and reply framing). */
  readonly framingTokens: number;
}

export const NO_TEXT: CountableText = Object.freeze({ texts: [], framingTokens: 0 });

/** A request as it is known before it is sent. */
export interface BoundRequest {
  /** The whole body; null where it is streamed. */
  readonly bytes: Buffer | null;
  /** How long the body is; null where its client does not say. */
  readonly byteLength: number | null;
  /** A form's text fields; null for JSON, and while not all of them are known. */
  readonly fields: JsonObject | null;
  /** Where the operation's `boundFields` stand in `bytes`, where they were looked for already. */
  readonly scan?: TopLevelScan | null;
}

/** How usage is found of an answer that was delivered, and of text that was sent. */
interface TextReader {
  /** Text of the request (parsed body) that the provider counts as input. */
  promptText(body: JsonObject): CountableText;
  /** Text of a complete JSON answer that counts as output. */
  answerText(body: JsonObject): CountableText;
  /** Text that one stream event delivered. */
  deliveredText(data: JsonObject): readonly string[];
}

/** For an operation whose usage is never counted from text. */
export const NO_TEXT_READER: TextReader = Object.freeze({
  promptText: () => NO_TEXT,
  answerText: () => NO_TEXT,
  deliveredText: () => [],
});

export interface Operation extends TextReader {
  /** Stands in `usage_event.operation`; `other` for an endpoint that is not listed. */
  readonly name: string;
  readonly method: string;
  /** Data-plane path; a segment `{…}` stands for any one segment: `/v1/responses/{id}`. */
  readonly path: string;
  /**
   * `json`: one JSON object, read into memory. `form`: multipart/form-data, streamed, its small text fields read as they
   * pass (JSON where the endpoint is sent JSON instead). `unread`: no body, or one that is nobody's business here.
   */
  readonly requestKind: "json" | "form" | "unread";
  /**
   * `json`: a JSON object or server-sent events, also where the content type says neither. `mixed`: audio or plain text
   * as well, so that only what is labelled as JSON or events is read. `unread`: whatever it is, it says nothing of usage.
   */
  readonly answerKind: "json" | "mixed" | "unread";
  /**
   * Whether a call of it costs money. False for what repeats the usage of an earlier call, and for what is free: its
   * event's cost is an explicit zero, whatever it answers.
   */
  readonly charges: boolean;
  /**
   * The path names what is read, so that its answer has the same id. Usage under another id is no repetition, and is
   * charged: a server may take the path for another one than it is here.
   */
  readonly isIdInPath?: boolean;
  /**
   * What holds of a call that was answered without a report of its usage: `estimated` by counting text, `unknown`, or
   * `unmetered` where nobody knows that there is any usage.
   */
  readonly unreported: "estimated" | "unknown" | "unmetered";
  /** False where an answer is charged for its input alone: nothing of one without a report is counted. */
  readonly isOutputCharged?: boolean;
  /** Takes away what may hold usage that is still to be charged: that is read before, at the same path. */
  readonly isLastLook?: boolean;
  /** Whether the work of a stream goes on when the stream breaks off: of background mode alone, or always. */
  readonly outlivesStream?: "in_background" | "always";
  /** Whether a stream reports usage only when `stream_options.include_usage` asks for it. */
  readonly needsIncludeUsage: boolean;
  /** Top-level fields of the answer that `readResponse` looks at; the others may be absent from what it is given. */
  readonly responseFields: readonly string[];
  /**
   * Bytes up to which one of those fields is read; 256 KiB where it is not given. Of a longer list the members are not
   * given and only their number is right; any other longer field is absent.
   */
  readonly maxFieldBytes?: number;
  readResponse(body: JsonObject): ResponseFacts;
  /** Facts in one stream event's `data` (parsed); a field that the event does not name is null. */
  readStreamEvent(data: JsonObject): ResponseFacts;
  /** What was consumed so far, where a later event's usage does not repeat all of an earlier one's. */
  readonly mergeQuantities?: (earlier: Quantities, later: Quantities) => Quantities;
  /** Whether the event carries usage and nothing that a client which did not ask for usage would expect. */
  isUsageOnlyEvent(data: JsonObject): boolean;
  /** The team's customer, where the request names it in another field than OpenAI's; `fields` has the `metadata`. */
  readonly endUser?: (fields: JsonObject) => string | null;
  /**
   * Adds what only the request tells, once an answer was delivered: characters to speak, the size of a picture. `request`
   * is the parsed body, or a form's text fields; empty where it could not be read.
   */
  completeFacts?(facts: ResponseFacts, request: JsonObject): ResponseFacts;
  /**
   * What a request says of the most that it can cost. Absent: nothing does. Asked only for calls that a budget counts.
   */
  readBound?(request: BoundRequest): CallBound;
  /** The top-level fields of a JSON body that `readBound` looks at. */
  readonly boundFields?: ReadonlySet<string>;
  /**
   * The fields that limit the output of one answer, the one to add where the request has none first; a provider that
   * does not heed one is given the next.
   */
  readonly outputLimits?: readonly string[];
  /** What one stream event delivered besides text (calls of the provider's tools), for a stream that breaks off. */
  deliveredUnits?(data: JsonObject): Quantities;
}
