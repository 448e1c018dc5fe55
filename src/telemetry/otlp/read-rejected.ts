import type { OtlpProtocol } from "../otlp-settings.ts";

/**
 * How many spans or data points a collector that has answered 200 did not take after all (`partial_success`). What it
 * answered may be anything: what cannot be read says nothing, and so 0.
 * Source: opentelemetry-proto, Export…PartialSuccess; the first field of each is the number.
 */
export function readRejected(body: Buffer, protocol: OtlpProtocol): number {
  const count = protocol === "http/json" ? fromJson(body) : fromProtobuf(body);
  return Number.isSafeInteger(count) && count > 0 ? count : 0;
}

function fromJson(body: Buffer): number {
  if (body.length === 0) return 0;
  let answer: unknown;
  try {
    answer = JSON.parse(body.toString("utf8"));
  } catch {
    return 0; // As said above: it is no answer of the protocol.
  }
  const partial = memberOf(answer, "partialSuccess");
  return Number(memberOf(partial, "rejectedSpans") ?? memberOf(partial, "rejectedDataPoints") ?? 0);
}

function memberOf(value: unknown, name: string): unknown {
  if (typeof value !== "object" || value === null) return undefined;
  return (value as Record<string, unknown>)[name];
}

/** The tag of field 1 with a message in it, and of field 1 with a number. */
const PARTIAL_SUCCESS = 0x0a;
const REJECTED = 0x08;

/** Writers put fields in the order of their numbers, so that both stand first. */
function fromProtobuf(body: Buffer): number {
  if (body[0] !== PARTIAL_SUCCESS) return 0;
  const message = readVarint(body, 1);
  return body[message.end] === REJECTED ? readVarint(body, message.end + 1).value : 0;
}

function readVarint(body: Buffer, start: number): { value: number; end: number } {
  let value = 0;
  let scale = 1;
  for (let at = start; at < body.length; at += 1) {
    const byte = body[at] ?? 0;
    value += (byte & 0x7f) * scale;
    if (byte < 0x80) return { value, end: at + 1 };
    scale *= 0x80;
  }
  return { value: 0, end: body.length };
}
