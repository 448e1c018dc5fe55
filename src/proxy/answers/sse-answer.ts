import type { DeferredWork } from "../../core/usage/deferred-usage.ts";
import type { Quantities } from "../../core/usage/quantities.ts";
import { readAnswerError } from "../../wire/openai/answer-error.ts";
import {
  NO_FACTS,
  type CountableText,
  type JsonObject,
  type Operation,
  type ResponseFacts,
} from "../../wire/openai/operation.ts";
import { SseEventScanner, readEventData } from "../../wire/sse/sse-event-scanner.ts";
import type { Answer, Send } from "./answer.ts";

export interface SseAnswerOptions {
  readonly operation: Operation;
  /** The client did not ask for the usage chunk: it is taken out. */
  readonly isUsageHidden: boolean;
  /** A longer event is passed on unread. */
  readonly maxEventBytes: number;
  /**
   * How much of the stream is remembered as it came, in case its text must be counted. Beyond that only the text is
   * kept, up to a limit of its own.
   */
  readonly maxRetainedBytes: number;
  readonly maxTextCharacters: number;
  /** Told once of work that outlives the stream, as soon as the stream has named it; its first events are parsed for that. */
  readonly onWork?: ((work: DeferredWork) => void) | undefined;
}

const DATA_FIELD = Buffer.from("data:");
const DONE_DATA = Buffer.from("[DONE]");
/** `data: [DONE]` with its line ends; an event of this size holds no text. */
const MAX_DONE_BYTES = 32;
const USAGE_KEY = Buffer.from('"usage"');
const ERROR_WORD = Buffer.from('"error"');
const QUOTE = 0x22;
const COLON = 0x3a;
const OPEN_BRACE = 0x7b;
/** Every provider names model and id at the start of its stream. */
const EVENTS_THAT_NAME_THE_MODEL = 8;

/**
 * A stream of server-sent events. Byte for byte the provider's, but for the usage chunk that a client did not ask
 * for. Only events that carry a usage object are parsed while the stream runs; the others are remembered as bytes,
 * and read only if the stream ends without having reported its usage.
 */
export class SseAnswer implements Answer {
  readonly isHeadHeld = false;
  readonly #send: Send;
  readonly #options: SseAnswerOptions;
  readonly #scanner: SseEventScanner;
  #facts: ResponseFacts = NO_FACTS;
  #retained: Buffer[] = [];
  #retainedBytes = 0;
  #texts: string[] = [];
  #textCharacters = 0;
  #units: Partial<Record<keyof Quantities, number>> = {};
  #isUnderstood = false;
  #isUsageCurrent = true;
  #eventsUntilWork: number;

  constructor(send: Send, options: SseAnswerOptions) {
    this.#send = send;
    this.#options = options;
    this.#scanner = new SseEventScanner(options.maxEventBytes);
    this.#eventsUntilWork = options.onWork === undefined ? 0 : EVENTS_THAT_NAME_THE_MODEL;
  }

  push(chunk: Buffer): void {
    if (!this.#options.isUsageHidden) this.#send(chunk);
    this.#scanner.push(chunk, this.#onEvent);
  }

  finish(): Buffer | undefined {
    const rest = this.#scanner.rest();
    if (rest.length === 0) return undefined;
    // A last event whose blank line is missing still counts, and clients read it.
    const isHidden = this.#read(rest);
    return this.#options.isUsageHidden && !isHidden ? rest : undefined;
  }

  facts(): ResponseFacts {
    for (const event of this.#retained.slice(0, EVENTS_THAT_NAME_THE_MODEL)) {
      if (this.#facts.servedModel !== null && this.#facts.responseId !== null) break;
      const data = parseData(event);
      if (data === undefined) continue;
      this.#facts = this.#merge(this.#options.operation.readStreamEvent(data), this.#facts);
    }
    return this.#facts;
  }

  isUnderstood(): boolean {
    return this.#isUnderstood;
  }

  isUsageCurrent(): boolean {
    return this.#isUsageCurrent;
  }

  deliveredUnits(): Quantities {
    this.#extractDelivered();
    return this.#units;
  }

  deliveredText(): CountableText {
    this.#extractDelivered();
    // One text: cut where the events were cut, it would count half as many tokens again.
    return { texts: [this.#texts.join("")], framingTokens: 0 };
  }

  readonly #onEvent = (bytes: Buffer, isWhole: boolean): void => {
    const isHidden = isWhole && this.#read(bytes);
    if (this.#options.isUsageHidden && !isHidden) this.#send(bytes);
  };

  #merge(earlier: ResponseFacts, later: ResponseFacts): ResponseFacts {
    return mergeFacts(earlier, later, this.#options.operation.mergeQuantities);
  }

  /** True when the event is one that must not reach the client. */
  #read(event: Buffer): boolean {
    if (this.#eventsUntilWork > 0) this.#lookForWork(event);
    if (!carriesObject(event, USAGE_KEY)) {
      this.#retain(event);
      if (carriesError(event)) this.#readError(event);
      return false;
    }
    const data = parseData(event);
    if (data === undefined) return false;
    this.#isUnderstood = true;
    this.#isUsageCurrent = true;
    this.#facts = this.#merge(this.#facts, this.#options.operation.readStreamEvent(data));
    this.#noteError(readAnswerError(data));
    if (this.#options.isUsageHidden && this.#options.operation.isUsageOnlyEvent(data)) return true;
    this.#remember(event);
    return false;
  }

  #lookForWork(event: Buffer): void {
    this.#eventsUntilWork -= 1;
    const data = parseData(event);
    if (data === undefined) return;
    const { deferred } = this.#options.operation.readStreamEvent(data);
    if (deferred === null) return;
    this.#eventsUntilWork = 0;
    if (deferred.ending === null) this.#options.onWork?.(deferred.work);
  }

  #readError(event: Buffer): void {
    const data = parseData(event);
    if (data !== undefined) this.#noteError(readAnswerError(data));
  }

  /** The first one counts: what follows an error is its consequence. */
  #noteError(error: string | null): void {
    if (error === null || this.#facts.error !== null) return;
    this.#facts = { ...this.#facts, error };
  }

  #retain(event: Buffer): void {
    if (isDone(event)) {
      this.#isUnderstood = true;
      return;
    }
    if (event.includes(DATA_FIELD)) {
      this.#isUnderstood = true;
      this.#isUsageCurrent = this.#facts.quantities === null;
    }
    this.#remember(event);
  }

  #remember(event: Buffer): void {
    this.#retained.push(event);
    this.#retainedBytes += event.length;
    if (this.#retainedBytes <= this.#options.maxRetainedBytes) return;
    this.facts();
    this.#extractDelivered();
  }

  #extractDelivered(): void {
    const pieces: string[] = [];
    // Base64 by the megabyte is not parsed for nothing.
    const isCounted = this.#options.operation.unreported === "estimated";
    for (const event of isCounted ? this.#retained : []) {
      const data =
        this.#textCharacters > this.#options.maxTextCharacters ? undefined : parseData(event);
      if (data === undefined) continue;
      for (const text of this.#options.operation.deliveredText(data)) {
        pieces.push(text);
        this.#textCharacters += text.length;
      }
      this.#addUnits(this.#options.operation.deliveredUnits?.(data));
    }
    // One flat string a batch: a hundred thousand small ones would weigh more than the events did.
    if (pieces.length > 0) this.#texts.push(pieces.join(""));
    this.#retained = [];
    this.#retainedBytes = 0;
  }

  #addUnits(units: Quantities = {}): void {
    for (const [name, count] of Object.entries(units) as [keyof Quantities, number][]) {
      this.#units[name] = (this.#units[name] ?? 0) + count;
    }
  }
}

function isDone(event: Buffer): boolean {
  return event.length <= MAX_DONE_BYTES && event.includes(DONE_DATA);
}

/** Cheap test before a parse: does the key stand in the event with an object behind it? */
function carriesObject(event: Buffer, key: Buffer): boolean {
  for (let at = event.indexOf(key); at !== -1; at = event.indexOf(key, at + 1)) {
    if (event[firstBehind(event, at + key.length)] === OPEN_BRACE) return true;
  }
  return false;
}

/**
 * Cheap test before a parse: `"error"` with an object or a text behind it, or as the value of `type`. Inside a text the
 * quotes are escaped, so it is not found there.
 */
function carriesError(event: Buffer): boolean {
  for (let at = event.indexOf(ERROR_WORD); at !== -1; at = event.indexOf(ERROR_WORD, at + 1)) {
    if (event[lastBefore(event, at)] === COLON) return true;
    const next = event[firstBehind(event, at + ERROR_WORD.length)];
    if (next === OPEN_BRACE || next === QUOTE) return true;
  }
  return false;
}

function firstBehind(event: Buffer, at: number): number {
  let next = at;
  while (event[next] === COLON || isSpace(event[next])) next += 1;
  return next;
}

function lastBefore(event: Buffer, at: number): number {
  let before = at - 1;
  while (isSpace(event[before])) before -= 1;
  return before;
}

function isSpace(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0d;
}

function parseData(event: Buffer): JsonObject | undefined {
  const data = readEventData(event);
  if (data === undefined || !data.startsWith("{")) return undefined;
  try {
    return JSON.parse(data) as JsonObject;
  } catch {
    return undefined; // `[DONE]`, or not JSON: no facts in it.
  }
}

/** `later` wins wherever it says something. */
function mergeFacts(
  earlier: ResponseFacts,
  later: ResponseFacts,
  mergeQuantities: Operation["mergeQuantities"],
): ResponseFacts {
  const reporting = later.quantities === null ? earlier : later;
  const quantities =
    mergeQuantities !== undefined && earlier.quantities !== null && later.quantities !== null
      ? mergeQuantities(earlier.quantities, later.quantities)
      : reporting.quantities;
  return {
    responseId: later.responseId ?? earlier.responseId,
    servedModel: later.servedModel ?? earlier.servedModel,
    serviceTier: later.serviceTier ?? earlier.serviceTier,
    quantities,
    isEstimate: reporting.isEstimate,
    isInterim: reporting.isInterim,
    priceVariant: later.priceVariant ?? earlier.priceVariant,
    unpricedCharge: later.unpricedCharge ?? earlier.unpricedCharge,
    deferred: later.deferred ?? earlier.deferred,
    error: later.error ?? earlier.error,
  };
}
