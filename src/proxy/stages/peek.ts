import type { Readable } from "node:stream";
import { TopLevelScanner, type TopLevelScan } from "../../wire/json/top-level-scanner.ts";
import type { Call, Refusal } from "../call.ts";
import { headerOf } from "../gateway-request.ts";

export interface PeekDeps {
  readonly maxJsonBodyBytes: number;
}

const PEEKED_FIELDS: ReadonlySet<string> = new Set([
  "model",
  "stream",
  "stream_options",
  "user",
  "safety_identifier",
]);

/**
 * Reads the body of a metered endpoint into memory, up to a limit, and the few fields in it that the gateway acts
 * upon. The bodies of all other endpoints are left to be streamed.
 */
export async function peek(deps: PeekDeps, call: Call): Promise<Refusal | undefined> {
  if (call.operation.requestKind !== "json") return undefined;
  const encoding = headerOf(call.request, "content-encoding");
  if (encoding !== undefined && encoding.toLowerCase() !== "identity") {
    return {
      code: "unsupported_content_encoding",
      message: `The body is sent with content-encoding "${encoding.slice(0, 40)}"; ${call.request.path} is only read uncompressed.`,
      isConnectionSpent: true,
    };
  }
  const limit = deps.maxJsonBodyBytes;
  const declared = Number(headerOf(call.request, "content-length") ?? 0);
  if (declared > limit) return tooLarge(call, limit);
  const scanner = new TopLevelScanner(PEEKED_FIELDS);
  const bytes = await readBody(call.request.body, limit, scanner);
  if (bytes === undefined) return tooLarge(call, limit);
  const scan = scanner.finish();
  if (scan === undefined) {
    return { code: "invalid_json", message: "The request body must be one JSON object." };
  }
  if (scan.duplicate !== undefined) {
    return {
      code: "invalid_json",
      message: `The request body names "${scan.duplicate}" twice; which one counts would be a guess.`,
      param: scan.duplicate,
    };
  }
  call.peeked = {
    bytes,
    scan,
    model: readString(scan, "model"),
    isStream: scan.fields.get("stream")?.text === "true",
    endUser: readString(scan, "safety_identifier") ?? readString(scan, "user"),
  };
  return undefined;
}

function tooLarge(call: Call, limit: number): Refusal {
  return {
    code: "request_too_large",
    message: `The request body is larger than ${limit} bytes, the most that is read for ${call.request.path}. The limit is the setting maxJsonBodyBytes.`,
    isConnectionSpent: true,
  };
}

/** Undefined when the body is longer than the limit. Rejects when the client breaks off. */
function readBody(
  body: Readable,
  limit: number,
  scanner: TopLevelScanner,
): Promise<Buffer | undefined> {
  return new Promise((resolve, reject) => {
    // Gone while the key was looked up: a destroyed stream emits nothing any more, and the call would wait for ever.
    if (body.destroyed) {
      reject(new Error("the client closed the connection within its request"));
      return;
    }
    const chunks: Buffer[] = [];
    let length = 0;
    const finish = (): void => {
      body.off("data", onData).off("end", onEnd).off("error", onBroken).off("close", onBroken);
    };
    const onData = (chunk: Buffer): void => {
      length += chunk.length;
      if (length > limit) {
        body.pause();
        finish();
        resolve(undefined);
        return;
      }
      chunks.push(chunk);
      scanner.push(chunk);
    };
    const onEnd = (): void => {
      finish();
      resolve(chunks.length === 1 ? chunks[0] : Buffer.concat(chunks, length));
    };
    const onBroken = (): void => {
      finish();
      reject(new Error("the client closed the connection within its request"));
    };
    body.on("data", onData).on("end", onEnd).on("error", onBroken).on("close", onBroken);
  });
}

function readString(scan: TopLevelScan, name: string): string | null {
  const text = scan.fields.get(name)?.text;
  if (text === undefined || !text.startsWith('"')) return null;
  try {
    return JSON.parse(text) as string;
  } catch {
    return null;
  }
}
