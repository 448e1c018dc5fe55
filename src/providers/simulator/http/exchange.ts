import type { IncomingMessage, ServerResponse } from "node:http";
import type { Dialect } from "../../../wire/dialect.ts";
import type { Answer, Mishap, PiecesAnswer, StreamStep } from "../endpoint.ts";
import { errorBody } from "./error-body.ts";

/** Bytes of a stream gathered into one write where the pace allows it. */
const WRITE_BYTES = 16 * 1024;

/** How fast tokens are sent; 0 = as fast as the client reads. */
export interface Pace {
  readonly tokensPerSecond: number;
}

/**
 * Hands the body over in pieces as they arrive. `done` when it is whole, `stopped` when `take` returned false (the
 * rest is thrown away, so that the client gets to read the answer), `aborted` when the client went away.
 */
export function readBody(
  req: IncomingMessage,
  take: (bytes: Buffer) => boolean,
): Promise<"done" | "stopped" | "aborted"> {
  return new Promise((resolve) => {
    let isStopped = false;
    req.on("data", (bytes: Buffer) => {
      if (isStopped || take(bytes)) return;
      isStopped = true;
      resolve("stopped");
    });
    req.once("end", () => resolve("done"));
    // After `end` or `stopped` this changes nothing. `close` follows every `error`.
    req.once("error", () => resolve("aborted"));
    req.once("close", () => resolve("aborted"));
  });
}

/** How one call's answer is delivered. */
export interface Delivery {
  readonly pace: Pace;
  /** Whose errors the caller expects. */
  readonly dialect: Dialect;
  /** Aborted when the client has gone. */
  readonly signal: AbortSignal;
}

/** Sends the answer; ends quietly when the client goes away. */
export async function sendAnswer(
  res: ServerResponse,
  answer: Answer,
  delivery: Delivery,
): Promise<void> {
  const { pace, signal } = delivery;
  switch (answer.kind) {
    case "refusal": {
      for (const [name, value] of Object.entries(answer.headers)) res.setHeader(name, value);
      const { contentType, body } = errorBody(answer, delivery.dialect);
      return sendWhole(res, answer.status, contentType, body);
    }
    case "json": {
      const dueMs = dueAfterMs(answer.outputTokens, pace);
      if (dueMs > 0 && !(await sleep(dueMs, signal))) return;
      return sendWhole(res, 200, "application/json", JSON.stringify(answer.body));
    }
    case "pieces":
      return sendPieces(res, answer, signal);
    case "stream":
      res.writeHead(200, {
        "content-type": "text/event-stream; charset=utf-8",
        "cache-control": "no-cache",
      });
      return sendSteps(res, answer.steps, pace, signal);
    case "mishap": {
      const isOver = await suffer(res, answer.mishap, signal);
      return isOver ? sendAnswer(res, answer.next, delivery) : undefined;
    }
  }
}

/** False when nothing more can be sent. */
async function suffer(res: ServerResponse, mishap: Mishap, signal: AbortSignal): Promise<boolean> {
  if (mishap.mishap === "stall") return sleep(mishap.forMs, signal);
  // What was written reaches the client before the cut does.
  if (res.headersSent) res.socket?.destroySoon();
  else res.destroy();
  return false;
}

function sendWhole(res: ServerResponse, status: number, contentType: string, body: string): void {
  const bytes = Buffer.from(body);
  res.writeHead(status, { "content-type": contentType, "content-length": bytes.length });
  res.end(bytes);
}

async function sendPieces(
  res: ServerResponse,
  { contentType, contentLength, pieces }: PiecesAnswer,
  signal: AbortSignal,
): Promise<void> {
  res.writeHead(200, {
    "content-type": contentType,
    ...(contentLength === undefined ? {} : { "content-length": contentLength }),
  });
  for (const piece of pieces) {
    const isMishap = typeof piece === "object" && "mishap" in piece;
    const goesOn = isMishap ? suffer(res, piece, signal) : write(res, piece, signal);
    if (!(await goesOn)) return;
  }
  res.end();
}

async function sendSteps(
  res: ServerResponse,
  steps: Iterable<StreamStep | Mishap>,
  pace: Pace,
  signal: AbortSignal,
): Promise<void> {
  const startedAtMs = performance.now();
  let tokens = 0;
  let batch = "";
  for (const step of steps) {
    if ("mishap" in step) {
      // An empty batch is written as well: the head goes out before a stream stalls or breaks off.
      if (!(await write(res, batch, signal)) || !(await suffer(res, step, signal))) return;
      batch = "";
      continue;
    }
    if (step.isToken) {
      tokens += 1;
      const waitMs = dueAfterMs(tokens, pace) - (performance.now() - startedAtMs);
      if (waitMs > 0) {
        if (batch !== "" && !(await write(res, batch, signal))) return;
        batch = "";
        if (!(await sleep(waitMs, signal))) return;
      }
    }
    batch += step.text;
    if (batch.length >= WRITE_BYTES) {
      if (!(await write(res, batch, signal))) return;
      batch = "";
    }
  }
  res.end(batch);
}

function dueAfterMs(tokens: number, { tokensPerSecond }: Pace): number {
  return tokensPerSecond === 0 ? 0 : (tokens * 1000) / tokensPerSecond;
}

/** Waits until the client has room for more, and lets other calls have their turn. False when it has gone. */
function write(
  res: ServerResponse,
  text: string | Uint8Array,
  signal: AbortSignal,
): Promise<boolean> {
  if (signal.aborted) return Promise.resolve(false);
  const hasRoom = res.write(text);
  return new Promise((resolve) => {
    const onAbort = (): void => finish(false);
    const onReady = (): void => finish(true);
    const finish = (isThere: boolean): void => {
      signal.removeEventListener("abort", onAbort);
      res.removeListener("drain", onReady);
      resolve(isThere && !signal.aborted);
    };
    signal.addEventListener("abort", onAbort, { once: true });
    if (hasRoom) setImmediate(onReady);
    else res.once("drain", onReady);
  });
}

/** False when `signal` ended the wait, which alone ends one without a delay. */
function sleep(delayMs: number | null, signal: AbortSignal): Promise<boolean> {
  if (signal.aborted) return Promise.resolve(false);
  return new Promise((resolve) => {
    const finish = (isOver: boolean): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", onAbort);
      resolve(isOver);
    };
    const onAbort = (): void => finish(false);
    const timer = delayMs === null ? undefined : setTimeout(() => finish(true), delayMs);
    signal.addEventListener("abort", onAbort, { once: true });
  });
}
