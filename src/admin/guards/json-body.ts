import type { MiddlewareHandler } from "hono";
import type { AdminEnv } from "../admin-deps.ts";
import { refuse } from "../answers/refusal.ts";
import { ADMIN_BASE_PATH } from "../base-path.ts";
import { findRepeatedField } from "./repeated-field.ts";

/** Whose senders write an array and can't be told to do otherwise. */
const ARRAY_PATHS: ReadonlySet<string> = new Set([`${ADMIN_BASE_PATH}/leaks/github`]);

/** The largest body an admin request may have. */
export const MAX_BODY_BYTES = 1024 * 1024;

const MAX_NAMED_CHARACTERS = 100;

/**
 * Reads the body of a request that has one, within the limit, and makes sure that it is a JSON object in UTF-8 before
 * a schema looks at it. An absent body counts as `{}`, so that the schema names the fields that are missing.
 */
export const readJsonBody: MiddlewareHandler<AdminEnv> = async (context, next) => {
  const request = context.req.raw;
  const { method } = request;
  if (method !== "POST" && method !== "PATCH") return next();
  const encoding = request.headers.get("content-encoding");
  if (encoding !== null && encoding.trim().toLowerCase() !== "identity") {
    return refuse(context, "unsupported_content_encoding", "The body must not be compressed.");
  }
  const bytes = await readBytes(request);
  if (bytes === "too large") {
    const message = `The body is larger than ${MAX_BODY_BYTES} bytes, the most this API reads.`;
    return refuse(context, "request_too_large", message);
  }
  if (bytes === "cut off") return refuse(context, "invalid_json", "The body ends too early.");
  if (bytes.length > 0 && !isJsonType(request.headers.get("content-type"))) {
    const message = "The body must be JSON: send it with `content-type: application/json`.";
    return refuse(context, "unsupported_content_type", message);
  }
  const parsed = parseObject(bytes, ARRAY_PATHS.has(context.req.path));
  if ("refusal" in parsed) return refuse(context, "invalid_json", parsed.refusal, parsed.param);
  const headers = new Headers(request.headers);
  headers.set("content-type", "application/json");
  headers.delete("content-length");
  context.req.raw = new Request(request.url, { method, headers, body: parsed.text });
  return next();
};

/** Of a body that is too large no more is read than it takes to know. */
async function readBytes(request: Request): Promise<Uint8Array | "too large" | "cut off"> {
  if (request.body === null) return new Uint8Array(0);
  if (Number(request.headers.get("content-length") ?? 0) > MAX_BODY_BYTES) return "too large";
  const chunks: Uint8Array[] = [];
  let length = 0;
  try {
    for await (const chunk of request.body as ReadableStream<Uint8Array>) {
      length += chunk.length;
      if (length > MAX_BODY_BYTES) return "too large";
      chunks.push(chunk);
    }
  } catch {
    // Only its sender can break a body off; that is no fault of ours, and nobody waits for the answer.
    return "cut off";
  }
  return Buffer.concat(chunks, length);
}

function isJsonType(contentType: string | null): boolean {
  return /^\s*application\/json\s*(?:;|$)/i.test(contentType ?? "");
}

/** Messages of JSON.parse quote the text around the fault, which may be a secret: only its place is passed on. */
function parseObject(
  bytes: Uint8Array,
  isArrayToo: boolean,
): { readonly text: string } | { readonly refusal: string; readonly param?: string } {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return { refusal: "The body is not valid UTF-8." };
  }
  if (text.trim() === "") return { text: "{}" };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return { refusal: `The body is not valid JSON${placeOf(error, text)}.` };
  }
  const isExpected = isArrayToo || !Array.isArray(value);
  if (typeof value === "object" && value !== null && isExpected) {
    const repeated = findRepeatedField(text)?.slice(0, MAX_NAMED_CHARACTERS);
    if (repeated === undefined) return { text };
    const refusal = `The body has "${repeated}" twice; which one counts would be a guess.`;
    return { refusal, param: repeated };
  }
  const came = value === null ? "null" : Array.isArray(value) ? "an array" : `a ${typeof value}`;
  return { refusal: `The body must be a JSON object, and came as ${came}.` };
}

function placeOf(error: unknown, text: string): string {
  const message = error instanceof Error ? error.message : "";
  if (message.startsWith("Unexpected end")) return ": it ends too early";
  const position = /in JSON at position (\d+)/.exec(message)?.[1];
  if (position === undefined) return "";
  const before = text.slice(0, Number(position)).split("\n");
  return ` at line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1}`;
}
