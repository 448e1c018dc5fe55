import { z } from "@hono/zod-openapi";

const INSTANT_PATTERN =
  /^\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:\d{2}))?$/;

/**
 * Reads an ISO 8601 date (its midnight in UTC) or date and time with a zone, to milliseconds since the epoch. A time
 * without a zone is refused: it would mean another instant on another machine.
 */
export function parseInstant(text: string): number | undefined {
  if (!INSTANT_PATTERN.test(text)) return undefined;
  const ms = Date.parse(text);
  if (Number.isNaN(ms)) return undefined;
  // Date.parse lets the 30th of February through as the 1st of March.
  const day = Number(text.slice(8, 10));
  const lastDay = new Date(Date.UTC(Number(text.slice(0, 4)), Number(text.slice(5, 7)), 0));
  return day <= lastDay.getUTCDate() ? ms : undefined;
}

/** Milliseconds since the epoch as ISO 8601 in UTC. */
export function formatInstant(ms: number): string {
  return new Date(ms).toISOString();
}

export function formatOptionalInstant(ms: number | null): string | null {
  return ms === null ? null : formatInstant(ms);
}

/** A time in a request. */
export function instantField(description: string) {
  return z
    .string()
    .transform((text, context) => {
      const ms = parseInstant(text);
      if (ms !== undefined) return ms;
      context.issues.push({
        code: "custom",
        message: "must be an ISO 8601 date or a date and time with a zone, `2026-01-31T09:00:00Z`",
        input: text,
      });
      return z.NEVER;
    })
    .openapi({ type: "string", description, example: "2026-01-31T09:00:00Z" });
}

/** A time in an answer. */
export function instantAnswer(description: string) {
  return z
    .string()
    .openapi({ format: "date-time", description, example: "2026-01-31T09:00:00.000Z" });
}
