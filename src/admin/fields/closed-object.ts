import { z } from "@hono/zod-openapi";
import { nearestName } from "../../core/text/nearest-name.ts";
import { quoteInput } from "./quote-input.ts";

/** Between the sentences of one issue, one for each unknown name. `quoteInput` lets no line break through. */
export const UNKNOWN_NAME_SEPARATOR = "\n";

/** An object that refuses names it does not know, each with the nearest that it does. */
export function closedObject<Shape extends z.core.$ZodLooseShape>(
  shape: Shape,
  word: "field" | "parameter" = "field",
) {
  const known = Object.keys(shape);
  return z.strictObject(shape, {
    error: (issue) =>
      issue.code === "unrecognized_keys"
        ? issue.keys.map((name) => describeUnknown(name, known, word)).join(UNKNOWN_NAME_SEPARATOR)
        : undefined,
  });
}

/** The query string of a route; an unknown parameter is refused as an unknown field is. */
export function closedQuery<Shape extends z.core.$ZodLooseShape>(shape: Shape) {
  return closedObject(shape, "parameter");
}

function describeUnknown(name: string, known: readonly string[], word: string): string {
  const nearest = nearestName(name, known);
  if (nearest !== undefined) {
    return `${quoteInput(name)} is not a known ${word}; did you mean \`${nearest}\`?`;
  }
  const names = known.map((each) => `\`${each}\``).join(", ");
  return known.length === 0
    ? `${quoteInput(name)} is not a known ${word}; none is expected here.`
    : `${quoteInput(name)} is not a known ${word}; known are ${names}.`;
}
