import type { Dialect } from "../../../wire/dialect.ts";
import { dataEvent, namedEvent, type Refusal, type StreamStep } from "../endpoint.ts";
import { errorObject } from "../http/error-body.ts";
import { eventData } from "./event-data.ts";

/** What a stream has said before its error. */
export interface StreamSoFar {
  readonly path: string;
  readonly dialect: Dialect;
  readonly firstEvent: string | undefined;
  readonly eventCount: number;
}

/**
 * The events by which a stream that began with status 200 ends in an error. Sources: the error event and
 * `response.failed` of OpenAI's streaming events; the error event of Anthropic's message stream. Chat and text
 * completions have no event for it: their stream carries the error object, and ends without `[DONE]`.
 */
export function streamError(refusal: Refusal, soFar: StreamSoFar): readonly StreamStep[] {
  const { path, dialect, firstEvent, eventCount } = soFar;
  if (path.startsWith("/v1/responses")) {
    const { message, code, param } = refusal;
    const error = { code, message, param, sequence_number: eventCount };
    const started = eventData(firstEvent ?? "")?.["response"];
    const response = { ...(started as object), status: "failed", error: { code, message } };
    const failed = { response, sequence_number: eventCount + 1 };
    return [step(namedEvent("error", error)), step(namedEvent("response.failed", failed))];
  }
  const event = dataEvent(errorObject(refusal, dialect));
  return [step(path.endsWith("/completions") ? event : `event: error\n${event}`)];
}

function step(text: string): StreamStep {
  return { text, isToken: false };
}
