import { DEFAULT_OVERRUN_MS, overrunTokens } from "../../core/usage/overrun.ts";
import { NO_QUANTITIES, totalOutputTokens, type Quantities } from "../../core/usage/quantities.ts";
import type { EventStatus, UsageSource } from "../../core/usage/usage-event.ts";
import type { Log } from "../../telemetry/log.ts";
import { approximateTokens } from "../../tokenizer/approximate-tokens.ts";
import type { Tokenizer } from "../../tokenizer/tokenizer.ts";
import type {
  CountableText,
  JsonObject,
  Operation,
  ResponseFacts,
} from "../../wire/openai/operation.ts";
import { mayThinkUnseen } from "../../wire/openai/unseen-thinking.ts";
import { sentModel, type Call } from "../call.ts";
import type { ExchangeResult } from "../exchange.ts";
import { readTokenFacts } from "../token-facts.ts";

export interface MeterDeps {
  readonly tokenizer: Tokenizer;
  readonly monotonicMs: () => number;
  /** See `overrunTokens`. */
  readonly overrunMs?: number | undefined;
  readonly log: Log;
}

/** What a call consumed, before it is priced. */
export interface Measurement {
  readonly status: EventStatus;
  readonly usageSource: UsageSource;
  readonly quantities: Quantities;
  /** Which of its prices holds, where the price depends on more than the model and its tier. */
  readonly variant: string | null;
}

/** A larger request is counted by its size: parsing it would hold up every other call. */
const MAX_PARSED_BYTES = 4 * 1024 * 1024;

/** Enough for the thread's start and an ordinary text. */
const MAX_COUNT_MS = 2_000;

/**
 * Works out what the call consumed: what the provider reported; else, for an answer that was delivered without a
 * report, what a tokenizer counts; else nothing, or unknown where the provider may have done work that nobody saw.
 */
export function meter(
  deps: MeterDeps,
  call: Call,
  result: ExchangeResult,
): Measurement | Promise<Measurement> {
  const status = statusOf(result);
  const { operation } = call;
  const nothing: Measurement = {
    status,
    usageSource: "none",
    quantities: NO_QUANTITIES,
    variant: null,
  };
  // What it repeats was metered with the call that consumed it.
  if (!operation.charges && isRepetition(call, result.facts)) return nothing;
  // Work that goes on without the call is charged when it has ended, whatever was delivered of it so far.
  if (result.facts.deferred?.ending === null) return { ...nothing, usageSource: "deferred" };
  const facts = completeFacts(call, result);
  if (facts.quantities !== null) return readReport(deps, call, { status, facts, result });
  const hasError = facts.error !== null;
  if (!result.wasStarted || (status === "failed" && !hasError)) {
    const isOpen = result.wasStarted && result.httpStatus === null;
    return isOpen ? { ...nothing, usageSource: "unknown" } : nothing;
  }
  if (operation.unreported === "unmetered") return nothing;
  if (operation.unreported === "unknown") {
    return hasError ? nothing : { ...nothing, usageSource: "unknown" };
  }
  if (!hasError && isOutputUnseen(call, result)) return { ...nothing, usageSource: "unknown" };
  if (result.ending === "whole" && !result.isUnderstood) {
    deps.log.warn(
      { requestId: call.requestId },
      "an answer could not be read; its usage is unknown",
    );
    return { ...nothing, usageSource: "unknown" };
  }
  return estimate(deps, call, { operation, result }).then((quantities) =>
    // An error in place of an answer: the provider has delivered nothing that it could charge.
    hasError && totalOutputTokens(quantities) === 0
      ? nothing
      : { ...nothing, usageSource: "estimated", quantities },
  );
}

/**
 * Whether more was generated than anybody can count. An answer that broke off before anything of it could be read was being
 * worked on all the same, and a provider goes on with one that is not a stream when its client has left.
 */
function isOutputUnseen(call: Call, result: ExchangeResult): boolean {
  if (call.operation.outputLimits === undefined) return false;
  if (isThinkingUnseen(call, result)) return true;
  if (result.ending === "whole") return false;
  const { texts, framingTokens } = result.deliveredText();
  const isNothingRead = texts.every((text) => text === "") && framingTokens === 0;
  return isNothingRead && Object.keys(result.deliveredUnits()).length === 0;
}

function isThinkingUnseen(call: Call, { facts }: ExchangeResult): boolean {
  return mayThinkUnseen(facts.servedModel ?? sentModel(call), readRequest(call));
}

function isRepetition({ operation, request }: Call, facts: ResponseFacts): boolean {
  if (operation.isIdInPath !== true || facts.quantities === null) return true;
  return facts.responseId !== null && plainText(request.path).includes(plainText(facts.responseId));
}

/** Servers find an object by its id in any spelling of the path, and answer with the id in its own. */
function plainText(path: string): string {
  try {
    return decodeURIComponent(path).toLowerCase();
  } catch {
    return path.toLowerCase(); // A stray percent sign: no server decodes it either.
  }
}

/** With what only the request tells, where an answer was delivered that is no error. */
function completeFacts(call: Call, result: ExchangeResult): ResponseFacts {
  const { facts, httpStatus } = result;
  const isAnswer = httpStatus !== null && httpStatus >= 200 && httpStatus < 300;
  if (!isAnswer || facts.error !== null || call.operation.completeFacts === undefined) return facts;
  return call.operation.completeFacts(facts, readRequest(call) ?? {});
}

function readReport(
  deps: MeterDeps,
  call: Call,
  reported: {
    readonly status: EventStatus;
    readonly facts: ResponseFacts;
    readonly result: ExchangeResult;
  },
): Measurement | Promise<Measurement> {
  const { status, facts, result } = reported;
  const quantities = facts.quantities ?? NO_QUANTITIES;
  const variant = facts.priceVariant;
  if (facts.unpricedCharge !== null) {
    deps.log.warn(
      { requestId: call.requestId, charge: facts.unpricedCharge },
      "a call consumed what is not metered; its cost is unknown",
    );
    return { status, usageSource: "unknown", quantities, variant };
  }
  const isFinal = result.ending === "whole" || result.isUsageCurrent;
  if (isFinal && !facts.isInterim) {
    const usageSource = facts.isEstimate ? "estimated" : "reported";
    return { status, usageSource, quantities, variant };
  }
  if (isThinkingUnseen(call, result)) {
    return { status, usageSource: "unknown", quantities, variant };
  }
  // A stream that broke off may have reported early and delivered more since.
  return countDelivered(deps, call, { model: facts.servedModel, result }).then((delivered) => {
    const missing = Math.max(0, delivered - totalOutputTokens(quantities));
    const output = (quantities.output ?? 0) + missing;
    return { status, usageSource: "estimated", quantities: { ...quantities, output }, variant };
  });
}

function statusOf(result: ExchangeResult): EventStatus {
  if (result.httpStatus !== null && (result.httpStatus < 200 || result.httpStatus >= 300)) {
    return "failed";
  }
  // `insufficient_quota` in a stream that began with a status of 200, say.
  if (result.facts.error !== null) return "failed";
  if (result.ending === "whole") return "succeeded";
  if (result.ending === "client-gone" || result.ending === "revoked") return "interrupted";
  return result.httpStatus === null ? "failed" : "interrupted";
}

async function estimate(
  deps: MeterDeps,
  call: Call,
  answered: { readonly operation: Operation; readonly result: ExchangeResult },
): Promise<Quantities> {
  const model = answered.result.facts.servedModel ?? sentModel(call);
  const input = await countPrompt(deps, call, { operation: answered.operation, model });
  const output = await countDelivered(deps, call, { model, result: answered.result });
  return { input, output, ...answered.result.deliveredUnits() };
}

/** What was delivered; of a stream that was cut, also what its provider was making just then. */
async function countDelivered(
  deps: MeterDeps,
  call: Call,
  { model, result }: { readonly model: string | null; readonly result: ExchangeResult },
): Promise<number> {
  const { overrunMs = DEFAULT_OVERRUN_MS } = deps;
  const streamMs = deps.monotonicMs() - (result.firstByteAtMs ?? Number.NEGATIVE_INFINITY);
  const deliveredTokens = await count(deps, model, result.deliveredText());
  if (result.ending !== "client-gone" && result.ending !== "revoked") return deliveredTokens;
  const { maxOutputTokens, choices } = readTokenFacts(call.peeked);
  const limit = maxOutputTokens === null ? null : maxOutputTokens * Math.max(1, choices);
  const cut = { deliveredTokens, streamMs, maxOutputTokens: limit };
  return deliveredTokens + overrunTokens(cut, overrunMs);
}

async function countPrompt(
  deps: MeterDeps,
  call: Call,
  asked: { readonly operation: Operation; readonly model: string | null },
): Promise<number> {
  const body = readRequest(call);
  // Too large, or not JSON although the provider answered it: its size is the best that is known.
  if (body === undefined) return approximateTokens([call.peeked?.bytes?.toString("utf8") ?? ""]);
  return count(deps, asked.model, asked.operation.promptText(body));
}

/** The request's members: of JSON, parsed; of a form, its text fields. */
function readRequest(call: Call): JsonObject | undefined {
  const fields = call.peeked?.fields();
  if (fields !== null && fields !== undefined) return fields;
  const bytes = call.peeked?.bytes ?? null;
  if (bytes === null || bytes.length > MAX_PARSED_BYTES) return undefined;
  return parseObject(bytes.toString("utf8"));
}

function parseObject(text: string): JsonObject | undefined {
  try {
    return JSON.parse(text) as JsonObject;
  } catch {
    return undefined;
  }
}

async function count(deps: MeterDeps, model: string | null, text: CountableText): Promise<number> {
  if (text.texts.length === 0) return text.framingTokens;
  try {
    const counted = deps.tokenizer.count({ model, texts: text.texts });
    return text.framingTokens + (await within(MAX_COUNT_MS, counted));
  } catch (err) {
    const reason = (err as Error).message;
    deps.log.warn(
      { reason, model },
      "tokens were not counted; they are estimated from the text's size",
    );
    return text.framingTokens + approximateTokens(text.texts);
  }
}

/** Rejects when the promise takes longer. The reply waits for the count, and one caller's text must not hold up others'. */
async function within<Value>(limitMs: number, promise: Promise<Value>): Promise<Value> {
  const deadline = Promise.withResolvers<never>();
  const timer = setTimeout(() => deadline.reject(new Error(`took over ${limitMs} ms`)), limitMs);
  try {
    return await Promise.race([promise, deadline.promise]);
  } finally {
    clearTimeout(timer);
  }
}
