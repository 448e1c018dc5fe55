import type { Readable } from "node:stream";
import { firstCheckDelayMs } from "../../core/usage/deferred-schedule.ts";
import type { DeferredWork } from "../../core/usage/deferred-usage.ts";
import type { Ledger } from "../../ledger/ledger.ts";
import type { Address } from "../../providers/provider.ts";
import type { Log } from "../../telemetry/log.ts";
import { editOutputLimit } from "../../wire/bounds/edit-output-limit.ts";
import { spliceBytes, type Edit } from "../../wire/json/splice-bytes.ts";
import type { TopLevelScan } from "../../wire/json/top-level-scanner.ts";
import { editIncludeUsage } from "../../wire/openai/include-usage.ts";
import type { Send } from "../answers/answer.ts";
import { ErrorAnswer } from "../answers/error-answer.ts";
import { JsonAnswer } from "../answers/json-answer.ts";
import { OpaqueAnswer } from "../answers/opaque-answer.ts";
import { createSecretMask, type SecretMask } from "../answers/secret-mask.ts";
import { SseAnswer } from "../answers/sse-answer.ts";
import { BodyStream } from "../body-stream.ts";
import type { Call } from "../call.ts";
import { READABLE_BY_ANY_PAGE } from "../cross-origin.ts";
import { isDecodable } from "../decoder.ts";
import { Exchange, type AnswerPlan, type ExchangeResult, type ResponseHead } from "../exchange.ts";
import { isFinalAnswer, readRefusal, type FailoverDeps } from "../failover.ts";
import { createUpstreamHeaders } from "../headers.ts";
import type { HeaderFields } from "../http/header-fields.ts";
import { upstreamAddress } from "../upstream-address.ts";
import type { Upstream } from "../upstream.ts";

export interface ForwardDeps extends FailoverDeps {
  readonly upstream: Pick<Upstream, "calls">;
  readonly ledger: Pick<Ledger, "amend">;
  readonly log: Log;
}

/** How long the rest of an answer that is not passed on is awaited, so that its connection can be used again. */
const MAX_SET_ASIDE_MS = 1_000;

/** A JSON answer up to this size is held until its cost is known. */
const MAX_HELD_BYTES = 4 * 1024 * 1024;
const MAX_SSE_EVENT_BYTES = 16 * 1024 * 1024;
const MAX_RETAINED_BYTES = 256 * 1024;
/** More than any model answers in one call. */
const MAX_TEXT_CHARACTERS = 4 * 1024 * 1024;

/** Sends the call to the provider and the answer back, byte for byte; resolves when the exchange is over. */
export function forward(deps: ForwardDeps, call: Call): Promise<ExchangeResult> {
  const route = call.route;
  if (route === undefined) throw new Error("forward comes after route");
  const address = upstreamAddress(call, route);
  const outgoing = createBody(call, address);
  const exchange: Exchange = new Exchange({
    reply: call.reply,
    ownHeaders: ownHeaders(call),
    readyHeaders: call.rateHeaders,
    monotonicMs: deps.monotonicMs,
    createAnswer: (head, send) => {
      call.accountTicket?.answered(head);
      if (route.sighting?.isWanted === true) route.sighting.answered(head, call.request.method);
      if (head.status >= 400) return planError(deps, call, { head, exchange, send });
      deps.routeHealth.succeeded(route, call.circuitTicket);
      const { status, headers } = head;
      const { isUsageHidden } = outgoing;
      const onWork = onWorkOf(deps, call);
      return planAnswer({ call, status, headers, isUsageHidden, onWork }, send);
    },
  });
  call.exchange = exchange;
  if (call.reply.isClosed) {
    exchange.cancel(new Error("the client closed the connection before the call was sent"));
    return exchange.result;
  }
  try {
    deps.upstream.calls.dispatch(
      {
        origin: route.origin,
        target: address.target,
        method: call.request.method,
        body: outgoing.body,
        headers: createUpstreamHeaders(call.request, route, {
          contentLength: outgoing.contentLength,
          isAnswerRead: call.operation.answerKind !== "unread",
          trace: call.trace,
        }),
      },
      exchange,
    );
  } catch (err) {
    // What can't be sent (an odd header, say) is refused by throwing; the provider has not heard of the call.
    exchange.cancel(err as Error);
  }
  return exchange.result;
}

/** Headers of Keyward's own on every reply, besides those that tell of its rates. */
export function ownHeaders(call: Call): string[] {
  const headers = ["x-keyward-request-id", call.requestId];
  if (call.key !== undefined) headers.push("x-keyward-environment", call.key.environmentName);
  // Else the page that asked could not read the answer, a refusal and its reason included.
  if (call.request.headers.has("origin")) headers.push(...READABLE_BY_ANY_PAGE);
  if (call.outputLimit !== undefined) {
    headers.push("x-keyward-output-limit", String(call.outputLimit.tokens));
  }
  return headers;
}

interface OutgoingBody {
  readonly body: Buffer | Readable | null;
  readonly contentLength: number | undefined;
  readonly isUsageHidden: boolean;
}

function createBody(call: Call, { takesStreamUsage }: Address): OutgoingBody {
  const { peeked, operation, request, upstreamModel } = call;
  const bytes = peeked?.bytes ?? null;
  if (peeked !== undefined && bytes !== null) {
    const { scan } = peeked;
    const edits: Edit[] = [];
    const isUsageAsked = peeked.isStream && operation.needsIncludeUsage && takesStreamUsage;
    const usageEdit = isUsageAsked && scan !== null ? editIncludeUsage(scan) : undefined;
    if (usageEdit !== undefined) edits.push(usageEdit);
    // A path that names the model says what counts; the body may say something else.
    const isOther = upstreamModel !== peeked.model || request.dated !== null;
    if (isOther && upstreamModel !== null && scan !== null) {
      edits.push(...editModel(scan, upstreamModel));
    }
    if (call.outputLimit !== undefined && scan !== null) {
      const { fields, tokens } = call.outputLimit;
      edits.push(...(editOutputLimit(scan, fields, tokens)?.edits ?? []));
    }
    const body = spliceBytes(bytes, edits);
    return { body, contentLength: body.length, isUsageHidden: usageEdit !== undefined };
  }
  const declared = request.headers.get("content-length");
  const isBodyless = !request.headers.has("transfer-encoding") && (declared ?? "0") === "0";
  if (isBodyless) {
    return {
      body: null,
      contentLength: declared === undefined ? undefined : 0,
      isUsageHidden: false,
    };
  }
  return {
    body: peeked?.stream() ?? new BodyStream(request.body),
    contentLength: declared === undefined ? undefined : Number(declared),
    isUsageHidden: false,
  };
}

function editModel({ fields, closeOffset }: TopLevelScan, model: string): Edit[] {
  const text = JSON.stringify(model);
  const written = fields.get("model");
  if (written === undefined) {
    return [{ start: closeOffset, end: closeOffset, text: `,"model":${text}` }];
  }
  return written.text === text ? [] : [{ ...written, text }];
}

/** A refusal of the provider: the client's, unless another way is tried. */
function planError(
  deps: ForwardDeps,
  call: Call,
  answered: { readonly head: ResponseHead; readonly exchange: Exchange; readonly send: Send },
): AnswerPlan {
  const { head, exchange, send } = answered;
  const { status } = head;
  const isSetAside = !isFinalAnswer(deps, call, head);
  const { mask, masked } = maskSecret(call, send);
  const answer = new ErrorAnswer(masked, {
    isSetAside,
    onWhole: (body) => readRefusal(deps, call, { status, body }),
    onOverlong: head.drop,
  });
  if (isSetAside) {
    const timer = setTimeout(head.drop, MAX_SET_ASIDE_MS);
    void exchange.result.then(() => clearTimeout(timer));
  }
  return { answer, isRead: true, isBodyChanged: false, mask };
}

interface AnswerHead {
  readonly call: Call;
  readonly status: number;
  readonly headers: HeaderFields;
  readonly isUsageHidden: boolean;
  readonly onWork: ((work: DeferredWork) => void) | undefined;
}

/** Work that outlives its stream is written down when its id is known: the process may die before the stream ends. */
function onWorkOf(deps: ForwardDeps, call: Call): AnswerHead["onWork"] {
  const { operation, peeked, intent } = call;
  const { outlivesStream } = operation;
  if (outlivesStream === undefined || !operation.charges || intent === undefined) return undefined;
  const isBackground = peeked?.scan?.fields.get("background")?.text === "true";
  if (outlivesStream === "in_background" && !isBackground) return undefined;
  return (work) => {
    const firstCheckAtMs = deps.nowMs() + firstCheckDelayMs(work.kind);
    const amended = { ...intent, deferred: { step: "begun", work, firstCheckAtMs } as const };
    deps.ledger.amend(amended).catch((err: unknown) => {
      deps.log.error({ err, requestId: call.requestId }, "work could not be journalled");
    });
  };
}

function planAnswer(head: AnswerHead, send: Send): AnswerPlan {
  const { operation } = head.call;
  const isSuccess = head.status >= 200 && head.status < 300;
  const encoding = head.headers.get("content-encoding");
  const isReadable = isPlain(encoding) || isDecodable(encoding);
  if (operation.answerKind === "unread" || !isSuccess || !isReadable) {
    return planOpaque(head, send);
  }
  const { mask, masked } = maskSecret(head.call, send);
  if (isEventStream(head)) {
    const answer = new SseAnswer(masked, {
      operation,
      isUsageHidden: head.isUsageHidden,
      maxEventBytes: MAX_SSE_EVENT_BYTES,
      maxRetainedBytes: MAX_RETAINED_BYTES,
      maxTextCharacters: MAX_TEXT_CHARACTERS,
      onWork: head.onWork,
    });
    return { answer, isRead: true, isBodyChanged: head.isUsageHidden, mask };
  }
  if (operation.answerKind === "mixed" && !isJson(head.headers)) {
    return planOpaque(head, send);
  }
  const answer = new JsonAnswer(masked, { operation, maxHeldBytes: MAX_HELD_BYTES });
  return { answer, isRead: true, isBodyChanged: false, mask };
}

/** A part of an encoded body is no encoding of a part. */
const PARTIAL_CONTENT = 206;

/** Its encoding comes off where a secret could stand behind it: compressed, nobody would find it. */
function planOpaque({ call, status }: AnswerHead, send: Send): AnswerPlan {
  const { mask, masked } = maskSecret(call, send);
  const isRead = mask !== undefined && status !== PARTIAL_CONTENT;
  return { answer: new OpaqueAnswer(masked), isRead, isBodyChanged: false, mask };
}

/** What a provider says may be anything, the key that it was sent included: in an error, in a stream, at any status. */
function maskSecret(call: Call, send: Send): { mask: SecretMask | undefined; masked: Send } {
  const mask = call.route === undefined ? undefined : createSecretMask(call.route);
  return { mask, masked: mask === undefined ? send : (bytes) => send(mask.push(bytes)) };
}

/** By the type that the provider names; where it names neither of the two, by what the client asked for. */
function isEventStream({ headers, call }: AnswerHead): boolean {
  const contentType = (headers.get("content-type") ?? "").toLowerCase();
  if (contentType.includes("event-stream")) return true;
  if (call.operation.answerKind === "mixed") return false;
  return !contentType.includes("json") && call.peeked?.isStream === true;
}

function isJson(headers: HeaderFields): boolean {
  return (headers.get("content-type") ?? "").toLowerCase().includes("json");
}

function isPlain(encoding: string | undefined): boolean {
  return encoding === undefined || encoding.toLowerCase() === "identity";
}
