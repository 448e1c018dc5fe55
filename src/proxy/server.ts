import { ERROR_CODES } from "../core/errors/codes.ts";
import { KeywardError } from "../core/errors/keyward-error.ts";
import type { CallObserver } from "../telemetry/call-observer.ts";
import { createAnthropicErrorBody } from "../wire/anthropic/error-body.ts";
import { findOperation } from "../wire/find-operation.ts";
import { createErrorBody } from "../wire/openai/error-body.ts";
import { readCallTarget, type CallTarget } from "./call-target.ts";
import type { Call, Refusal } from "./call.ts";
import { CallsByKey } from "./calls-by-key.ts";
import { answerPreflight, isPreflight } from "./cross-origin.ts";
import { endRefusedCalls } from "./end-refused-calls.ts";
import type { GatewayReply } from "./gateway-request.ts";
import type { HttpHandler, HttpRequest } from "./http/handler.ts";
import { runPipeline, type PipelineDeps } from "./pipeline.ts";
import { createRefusalReport } from "./refusal-report.ts";
import { ownHeaders } from "./stages/forward.ts";
import { endAdmission } from "./stages/limit.ts";

export interface GatewayListenerDeps extends Omit<PipelineDeps, "callsByKey"> {
  readonly observer: CallObserver;
  readonly maxInFlightCalls: number;
  /** Answers every path that is not the data plane's. */
  readonly fallback: HttpHandler;
}

export interface GatewayListener {
  readonly handler: HttpHandler;
  inFlightCalls(): number;
  /** From now on new calls are answered with `shutting_down`. */
  stopAccepting(): void;
  /** Resolves when no call is in flight any more. */
  idle(): Promise<void>;
}

/** The data plane under `/v1` and, for clients of Azure's API, `/openai`; everything else through `fallback`. */
export function createGatewayListener(given: GatewayListenerDeps): GatewayListener {
  const deps = { ...given, callsByKey: new CallsByKey() };
  let inFlight = 0;
  let isStopping = false;
  let idleWaiters: (() => void)[] = [];

  const handle = async (request: HttpRequest, reply: GatewayReply): Promise<void> => {
    inFlight += 1;
    // A call is over when it is settled and its reply has left: a stop must not cut the last bytes of either.
    let openEnds = 2;
    const over = (): void => {
      openEnds -= 1;
      if (openEnds > 0) return;
      deps.bodyBudget.release(call);
      inFlight -= 1;
      if (inFlight > 0) return;
      for (const resolve of idleWaiters) resolve();
      idleWaiters = [];
    };
    reply.onceOver(over);
    const target = readCallTarget(request.target);
    const call = createCall(deps, { request, target, reply });
    try {
      const early =
        refuseNow(deps, { inFlight, isStopping }) ?? refuseMethod(request.method) ?? target.refusal;
      if (early === undefined && isPreflight(call.request)) answerPreflight(call);
      else {
        const refusal = early ?? (await runPipeline(deps, call));
        if (refusal !== undefined) refuse(deps, call, refusal);
      }
    } catch (err) {
      fail(deps, call, err);
    }
    deps.callsByKey.remove(call);
    endAdmission(call);
    call.accountTicket?.end(false);
    over();
  };

  deps.snapshot.watchKeys((id) => {
    endRefusedCalls(deps, id).catch((err: unknown) => {
      deps.log.error({ err, keyId: id }, "calls of a key that changed could not be looked at");
    });
  });

  return {
    handler: (request, reply) => {
      if (isDataPlane(request.target)) void handle(request, reply);
      else deps.fallback(request, reply);
    },
    inFlightCalls: () => inFlight,
    stopAccepting: () => {
      isStopping = true;
    },
    idle: () =>
      inFlight === 0
        ? Promise.resolve()
        : new Promise((resolve) => {
            idleWaiters.push(resolve);
          }),
  };
}

function isDataPlane(target: string): boolean {
  return (
    target.startsWith("/v1/") ||
    target === "/v1" ||
    target.startsWith("/v1?") ||
    target.startsWith("/openai/")
  );
}

function createCall(
  deps: GatewayListenerDeps,
  came: {
    readonly request: HttpRequest;
    readonly target: CallTarget;
    readonly reply: GatewayReply;
  },
): Call {
  const { reply } = came;
  const { method, headers, body, remoteAddress } = came.request;
  const { target, path, dated, dialect } = came.target;
  const startedAtMs = deps.nowMs();
  const startedMonotonicMs = deps.monotonicMs();
  return {
    requestId: deps.ids.create("req"),
    startedAtMs,
    startedMonotonicMs,
    request: { method, target, path, dated, headers, body, remoteAddress },
    reply,
    operation: findOperation(method, path),
    dialect: headers.has("anthropic-version") ? "anthropic" : dialect,
    key: undefined,
    peeked: undefined,
    policy: null,
    outputCap: null,
    heldBytes: 0,
    customer: null,
    feature: null,
    routing: undefined,
    candidates: [],
    upstreamModel: null,
    route: undefined,
    attempt: 1,
    attemptStartedAtMs: startedAtMs,
    attemptStartedMonotonicMs: startedMonotonicMs,
    circuitTicket: 0,
    failedAttempts: [],
    nextRoute: undefined,
    setAside: undefined,
    lastLook: undefined,
    admission: undefined,
    estimatedTokens: undefined,
    rateHeaders: undefined,
    accountTicket: undefined,
    hold: undefined,
    outputLimit: undefined,
    intent: undefined,
    exchange: undefined,
    endedBy: undefined,
    trace: deps.tracing?.begin(headers.get("traceparent"), headers.get("tracestate")),
  };
}

function refuseNow(
  deps: GatewayListenerDeps,
  now: { readonly inFlight: number; readonly isStopping: boolean },
): Refusal | undefined {
  if (now.isStopping) {
    return {
      code: "shutting_down",
      message: "This process is stopping. Try again.",
      isConnectionSpent: true,
    };
  }
  if (now.inFlight > deps.maxInFlightCalls) {
    return {
      code: "overloaded",
      message: `This process already carries ${deps.maxInFlightCalls} calls (the setting maxInFlightCalls). Try again shortly.`,
    };
  }
  return undefined;
}

/** TRACE would have the provider echo its key to the client; no API needs the others. */
const METHODS: ReadonlySet<string> = new Set([
  "GET",
  "HEAD",
  "POST",
  "PUT",
  "PATCH",
  "DELETE",
  "OPTIONS",
]);

function refuseMethod(method: string): Refusal | undefined {
  if (METHODS.has(method)) return undefined;
  return { code: "method_not_allowed", message: `${method.slice(0, 20)} is not forwarded.` };
}

function refuse(deps: GatewayListenerDeps, call: Call, refusal: Refusal): void {
  // A call that was sent is an event, and its fault is in the log already.
  if (call.intent === undefined) reportRefusal(deps, call, refusal);
  sendError(call, refusal);
}

function reportRefusal(deps: GatewayListenerDeps, call: Call, refusal: Refusal): void {
  const { code, budgetWindowId } = refusal;
  const gatewayKeyId = call.key?.id ?? null;
  deps.ledger.countRefusal({ code, gatewayKeyId, customer: call.customer, budgetWindowId });
  deps.observer.callRefused(createRefusalReport(deps, call, code));
  const level = ERROR_CODES[code].log;
  if (level === "none") return;
  const { path } = call.request;
  deps.log[level]({ requestId: call.requestId, code, gatewayKeyId, path }, "a call was refused");
}

function fail(deps: GatewayListenerDeps, call: Call, err: unknown): void {
  // The client broke off: there is nobody to tell.
  if (call.reply.isClosed || call.request.body.isBroken) return;
  const code = err instanceof KeywardError ? err.code : "internal_error";
  if (call.intent === undefined) deps.observer.callRefused(createRefusalReport(deps, call, code));
  deps.log.error({ requestId: call.requestId, err }, "a call failed in Keyward");
  if (call.reply.isHeadSent) {
    call.reply.cut();
    return;
  }
  const message =
    err instanceof KeywardError
      ? err.message
      : `Keyward failed to carry out this call. Its log has the details under ${call.requestId}.`;
  sendError(call, { code, message });
}

function sendError(call: Call, refusal: Refusal): void {
  if (call.reply.isClosed) return;
  const definition = ERROR_CODES[refusal.code];
  const body = Buffer.from(JSON.stringify(errorBody(call, refusal)));
  const headers = [
    ...ownHeaders(call),
    "content-type",
    "application/json",
    "content-length",
    String(body.length),
    "x-should-retry",
    String(definition.retryable),
  ];
  if (refusal.retryAfterMs !== undefined) {
    const retryAfterMs = Math.ceil(refusal.retryAfterMs);
    headers.push("retry-after", String(Math.max(1, Math.ceil(retryAfterMs / 1000))));
    headers.push("retry-after-ms", String(Math.max(1, retryAfterMs)));
  }
  if (refusal.isConnectionSpent === true) headers.push("connection", "close");
  call.reply.answer(definition.status, headers, body, call.rateHeaders);
}

/** In the shape that the client's own library reads. */
function errorBody({ dialect, requestId }: Call, { code, message, param }: Refusal): object {
  return dialect === "anthropic"
    ? createAnthropicErrorBody(code, message, requestId)
    : createErrorBody(code, message, param ?? null);
}
