import type { Dialect } from "../../../wire/dialect.ts";
import type { Answer, Mishap, PiecesAnswer, StreamAnswer, StreamStep } from "../endpoint.ts";
import { errorObject } from "../http/error-body.ts";
import { eventData } from "./event-data.ts";
import { faultRefusal } from "./fault-refusal.ts";
import type { Fault, FaultKind, WrongCount } from "./fault.ts";
import { streamError, type StreamSoFar } from "./stream-error.ts";
import { withWrongUsage } from "./wrong-usage.ts";

/**
 * The answer as the fault leaves it. A fault that comes instead of an answer strikes every call; one inside an answer
 * strikes what has an inside: a refusal stays as it is, and so does a stream with fewer tokens than the fault waits for.
 */
export function spoilAnswer(answer: Answer, fault: Fault, place: Place): Answer {
  const { kind, afterTokens } = fault;
  if (afterTokens === null) return spoilBefore(answer, kind, place);
  switch (answer.kind) {
    case "refusal":
    case "mishap":
      return answer;
    case "json":
    case "pieces":
      return spoilWhole(wholeOf(answer), kind, place);
    case "stream":
    default:
      return { kind: "stream", steps: spoilSteps(answer, kind, { ...place, afterTokens }) };
  }
}

/** Where the answer is given, and in whose words errors are. */
interface Place {
  readonly path: string;
  readonly dialect: Dialect;
}

function spoilBefore(answer: Answer, kind: FaultKind, place: Place): Answer {
  const mishap = mishapOf(kind);
  if (mishap !== undefined) return { kind: "mishap", mishap, next: answer };
  const refusal = faultRefusal(kind);
  if (refusal !== undefined) return refusal;
  if (answer.kind === "refusal" || answer.kind === "mishap") return answer;
  if (kind.name === "wrong-usage") return withCount(answer, kind.count);
  if (answer.kind === "stream") {
    return { kind: "stream", steps: spoilSteps(answer, kind, { ...place, afterTokens: 0 }) };
  }
  return spoilWhole(wholeOf(answer), kind, place);
}

function mishapOf(kind: FaultKind): Mishap | undefined {
  if (kind.name === "cut") return { mishap: "cut" };
  return kind.name === "stall" ? { mishap: "stall", forMs: kind.forMs } : undefined;
}

interface Whole {
  readonly contentType: string;
  readonly bytes: Buffer;
}

function wholeOf(answer: Extract<Answer, { kind: "json" }> | PiecesAnswer): Whole {
  if (answer.kind === "json") {
    return { contentType: "application/json", bytes: Buffer.from(JSON.stringify(answer.body)) };
  }
  const pieces: Uint8Array[] = [];
  for (const piece of answer.pieces) {
    if (typeof piece === "string") pieces.push(Buffer.from(piece));
    else if (!("mishap" in piece)) pieces.push(piece);
  }
  return { contentType: answer.contentType, bytes: Buffer.concat(pieces) };
}

/** A body that is announced in full: half of it arrives before the mishap. */
function spoilWhole({ contentType, bytes }: Whole, kind: FaultKind, { dialect }: Place): Answer {
  const half = bytes.length >> 1;
  const first = bytes.subarray(0, half);
  const mishap = mishapOf(kind);
  if (mishap !== undefined) {
    const pieces = [first, mishap, bytes.subarray(half)];
    return { kind: "pieces", contentType, contentLength: bytes.length, pieces };
  }
  if (kind.name === "malformed-json" && contentType === "application/json") {
    return { kind: "pieces", contentType, contentLength: half, pieces: [first] };
  }
  const refusal = faultRefusal(kind);
  if (refusal !== undefined) {
    return { kind: "json", body: errorObject(refusal, dialect), outputTokens: 0 };
  }
  return { kind: "pieces", contentType, contentLength: bytes.length, pieces: [bytes] };
}

function withCount(
  answer: Exclude<Answer, { kind: "refusal" | "mishap" }>,
  count: WrongCount,
): Answer {
  if (answer.kind === "json") return { ...answer, body: withWrongUsage(answer.body, count) };
  if (answer.kind === "stream") return { kind: "stream", steps: stepsWithCount(answer, count) };
  if (answer.contentType !== "application/json") return answer;
  const body = JSON.parse(wholeOf(answer).bytes.toString()) as object;
  return { kind: "json", body: withWrongUsage(body, count), outputTokens: 0 };
}

function* stepsWithCount(
  { steps }: StreamAnswer,
  count: WrongCount,
): Generator<StreamStep | Mishap> {
  for (const step of steps) {
    const data =
      "text" in step && step.text.includes('"usage":{') ? eventData(step.text) : undefined;
    if ("mishap" in step || data === undefined) {
      yield step;
      continue;
    }
    const name = step.text.startsWith("event: ") ? `${step.text.split("\n", 1)[0]}\n` : "";
    const text = `${name}data: ${JSON.stringify(withWrongUsage(data, count))}\n\n`;
    yield { ...step, text };
  }
}

function* spoilSteps(
  { steps }: StreamAnswer,
  kind: FaultKind,
  { path, dialect, afterTokens }: Place & { readonly afterTokens: number },
): Generator<StreamStep | Mishap> {
  let tokens = 0;
  let eventCount = 0;
  let firstEvent: string | undefined;
  let isSpoilt = false;
  for (const step of steps) {
    const isDue = !("mishap" in step) && step.isToken && tokens === afterTokens;
    if (isDue && !isSpoilt) {
      isSpoilt = true;
      const broken = brokenSteps(kind, { path, dialect, firstEvent, eventCount });
      yield* broken.steps;
      if (!broken.goesOn) return;
    }
    if ("text" in step) {
      firstEvent ??= step.text;
      eventCount += 1;
      if (step.isToken) tokens += 1;
    }
    yield step;
  }
}

function brokenSteps(
  kind: FaultKind,
  soFar: StreamSoFar,
): { readonly steps: readonly (StreamStep | Mishap)[]; readonly goesOn: boolean } {
  const mishap = mishapOf(kind);
  if (mishap !== undefined) return { steps: [mishap], goesOn: true };
  const refusal = faultRefusal(kind);
  if (refusal !== undefined) return { steps: streamError(refusal, soFar), goesOn: false };
  if (kind.name === "malformed-json") return { steps: [MALFORMED_JSON], goesOn: true };
  return { steps: kind.name === "malformed-sse" ? [MALFORMED_SSE] : [], goesOn: true };
}

/** An event whose data is a JSON text that breaks off. */
const MALFORMED_JSON = { text: 'data: {"choices":[{"delta":{"content":"brok\n\n', isToken: false };
/** A line without a colon, an unknown field, lone carriage returns, control characters, and half a line. */
const MALFORMED_SSE = {
  text: "garbage\ndat: x\r:\r\u0000\u0001\n\ndata\n\nevent: nobody\nretry: soon\n\ndat",
  isToken: false,
};
