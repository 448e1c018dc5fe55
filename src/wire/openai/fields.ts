/** Reading of JSON that nobody has checked: what has the wrong type is absent, nothing here throws. */
import type { JsonObject } from "./operation.ts";

/** Longer names and ids are not names but noise, and would be stored with every event. */
const MAX_NAME_CHARACTERS = 256;

export function asObject(value: unknown): JsonObject | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as JsonObject)
    : undefined;
}

export function asArray(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** A model's, tier's or response's name; null when absent, empty or absurdly long. */
export function asName(value: unknown): string | null {
  return typeof value === "string" && value !== "" && value.length <= MAX_NAME_CHARACTERS
    ? value
    : null;
}

/** Appends the value when it is a text with something in it. */
export function pushText(texts: string[], value: unknown): void {
  if (typeof value === "string" && value !== "") texts.push(value);
}

/**
 * Appends the value as JSON when it is an object or a list: tool definitions and schemas are read by the model too. One
 * nested so deeply that it can be read but not written (a hostile one; no provider takes it) is left out.
 */
export function pushJson(texts: string[], value: unknown): void {
  if (typeof value !== "object" || value === null) return;
  try {
    texts.push(JSON.stringify(value));
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
}
