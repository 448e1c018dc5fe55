import {
  readRequest,
  refuse,
  type Answer,
  type BodilessEndpoint,
  type Call,
  type Endpoint,
  type JsonEndpoint,
} from "../endpoint.ts";
import type { SimulatorMemory } from "../memory/simulator-memory.ts";
import { requestSchema, SimulatedResponse } from "../work/simulated-response.ts";
import { StoredResponse } from "../work/stored-response.ts";
import { TimedWork } from "../work/timed-work.ts";

/**
 * `POST /v1/responses`: one message, or one function call where `tool_choice` demands it. A response is kept unless
 * `store` is false; one in the background is finished when its time has come. `previous_response_id` is repeated in the
 * answer and looked up nowhere. Sources: the response object and the streaming events of OpenAI's API reference.
 */
const createResponse = (memory: SimulatorMemory): JsonEndpoint => ({
  takes: "json",
  method: "POST",
  path: "/v1/responses",
  answer(body, call) {
    const read = readRequest(requestSchema, body);
    if ("refusal" in read) return read.refusal;
    const { request } = read;
    const isBackground = request.background === true;
    if (isBackground && request.store === false) {
      return refuse(400, "A response in the background must be stored.", { param: "store" });
    }
    const response = new SimulatedResponse(request, call);
    const work = isBackground ? new TimedWork(call.nowMs, call.workMs) : undefined;
    const stored = new StoredResponse(response, work);
    if (request.store !== false) memory.responses.put(response.id, stored, response.bytes);
    if (request.stream === true) return { kind: "stream", steps: stored.steps(call.nowMs) };
    return {
      kind: "json",
      body: stored.snapshot(call.nowMs),
      outputTokens: isBackground ? 0 : response.outputTokens,
    };
  },
});

/** `GET /v1/responses/:id`; with `stream=true` its events, after the one that `starting_after` numbers. */
const retrieveResponse = (memory: SimulatorMemory): BodilessEndpoint => ({
  takes: "nothing",
  method: "GET",
  path: "/v1/responses/:id",
  answer(call) {
    const stored = memory.responses.get(call.id);
    if (stored === undefined) return notFound(call);
    const { query, nowMs } = call;
    if (query.get("stream") !== "true") return json(stored.snapshot(nowMs));
    const after = query.get("starting_after");
    if (after !== null && !/^\d{1,9}$/.test(after)) {
      return refuse(400, "'starting_after' is the number of an event.", {
        code: "invalid_value",
        param: "starting_after",
      });
    }
    return { kind: "stream", steps: stored.steps(nowMs, after === null ? -1 : Number(after)) };
  },
});

/** `POST /v1/responses/:id/cancel`: of one in the background. One that has ended stays as it is. */
const cancelResponse = (memory: SimulatorMemory): BodilessEndpoint => ({
  takes: "nothing",
  method: "POST",
  path: "/v1/responses/:id/cancel",
  answer(call) {
    const stored = memory.responses.get(call.id);
    if (stored === undefined) return notFound(call);
    if (!stored.isBackground) {
      return refuse(400, "Only a response in the background can be cancelled.");
    }
    stored.cancel(call.nowMs);
    return json(stored.snapshot(call.nowMs));
  },
});

const deleteResponse = (memory: SimulatorMemory): BodilessEndpoint => ({
  takes: "nothing",
  method: "DELETE",
  path: "/v1/responses/:id",
  answer(call) {
    if (!memory.responses.delete(call.id)) return notFound(call);
    return json({ id: call.id, object: "response", deleted: true });
  },
});

/** The one with more in its path first. */
export function createResponseEndpoints(memory: SimulatorMemory): readonly Endpoint[] {
  return [
    createResponse(memory),
    cancelResponse(memory),
    retrieveResponse(memory),
    deleteResponse(memory),
  ];
}

function json(body: object): Answer {
  return { kind: "json", body, outputTokens: 0 };
}

function notFound({ id }: Call): Answer {
  return refuse(404, `Response with id '${id}' not found.`);
}
