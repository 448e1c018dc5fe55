import type { DeferredStep } from "../core/usage/usage-event.ts";
import type { Log } from "../telemetry/log.ts";
import { readObject } from "../wire/json/read-object.ts";
import { endedStep } from "../wire/openai/deferred-work.ts";
import type { JsonObject } from "../wire/openai/operation.ts";
import type { Call } from "./call.ts";
import { createUpstreamHeaders } from "./headers.ts";
import { upstreamAddress } from "./upstream-address.ts";
import type { Upstream } from "./upstream.ts";

export interface LastLookDeps {
  readonly upstream: Pick<Upstream, "asides">;
  readonly log: Log;
}

/** The deletion waits for it. */
const MAX_LOOK_MS = 5_000;
const OK = 200;

/**
 * Reads what a call is about to delete, where it may tell of usage that is still to be charged: once it is gone nobody
 * can ask for it, and whoever may delete would decide what is charged. Undefined where there is nothing to learn: it is
 * not found, goes on, or its provider does not say in time. The call is not held up by that.
 */
export async function takeLastLook(
  deps: LastLookDeps,
  call: Call,
): Promise<DeferredStep | undefined> {
  const { operation, requestId } = call;
  try {
    const object = await read(deps.upstream, call);
    return object === undefined ? undefined : endedStep(operation.readResponse(object));
  } catch (err) {
    // Recovered from: what is waited for is asked for by the collector, which says so when it is gone.
    deps.log.warn({ err, requestId }, "what is deleted could not be read before");
    return undefined;
  }
}

async function read(
  { asides }: Pick<Upstream, "asides">,
  call: Call,
): Promise<JsonObject | undefined> {
  const { operation, request, route } = call;
  if (route === undefined) throw new Error("a last look comes after route");
  const { responseFields, maxFieldBytes } = operation;
  const { statusCode, body } = await asides.request({
    origin: route.origin,
    path: upstreamAddress(call, route).target,
    method: "GET",
    headers: createUpstreamHeaders(request, route, {
      contentLength: undefined,
      isAnswerRead: true,
      trace: undefined,
    }),
    signal: AbortSignal.timeout(MAX_LOOK_MS),
  });
  if (statusCode !== OK) {
    await body.dump();
    return undefined;
  }
  return await readObject(body, { fields: responseFields, maxFieldBytes });
}
