import { stdSerializers } from "pino";

export const CENSORED = "[redacted]";

/** Fields that could only hold a secret or somebody's words: whatever is logged under these names is taken out. */
const REDACTED_NAMES: ReadonlySet<string> = new Set([
  "authorization",
  "headers",
  "rawHeaders",
  "cookie",
  "secret",
  "token",
  "password",
  "apiKey",
  "connectionString",
  "body",
  "messages",
  "prompt",
  "content",
  // What an HTTP parser's error carries of the answer that it could not read.
  "data",
]);

/** Deeper than anything that is logged; below, the scrubbing of the line is all there is. */
const MAX_DEPTH = 6;

/**
 * The fields of a line without those that must not be seen, by their names at any depth; errors become plain objects
 * with their causes in message and stack, bytes become their number. Copies only where something is taken out. (The
 * logger's own redaction by paths takes 2 µs a wildcard and line, and needs one for every depth.)
 */
export function redactFields(fields: Record<string, unknown>): Record<string, unknown> {
  return redactObject(fields, 0);
}

function redact(value: unknown, depth: number): unknown {
  if (typeof value !== "object" || value === null || depth > MAX_DEPTH) return value;
  if (value instanceof Error) return redactObject({ ...stdSerializers.err(value) }, depth);
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  if (Array.isArray(value)) return value.map((one) => redact(one, depth + 1));
  if ("toJSON" in value) return value;
  return redactObject(value as Record<string, unknown>, depth);
}

function redactObject(fields: Record<string, unknown>, depth: number): Record<string, unknown> {
  let copy: Record<string, unknown> | undefined;
  for (const name of Object.keys(fields)) {
    const value = fields[name];
    if (typeof value !== "object" && !REDACTED_NAMES.has(name)) continue;
    const shown = REDACTED_NAMES.has(name) ? CENSORED : redact(value, depth + 1);
    if (shown === value) continue;
    copy ??= { ...fields };
    copy[name] = shown;
  }
  return copy ?? fields;
}
