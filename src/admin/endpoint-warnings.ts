import { z } from "@hono/zod-openapi";
import { ENDPOINT_GROUPS } from "../core/policy/endpoint-pattern.ts";
import { isListedEndpoint, nearestEndpoint } from "../wire/listed-endpoints.ts";

export const endpointWarningsField = z.array(z.string()).openapi({
  description:
    "Of the endpoints that were named, those that this version does not know. They are allowed all the same: calls of any path are passed on.",
});

/** A misspelled endpoint allows nothing that anybody calls, and nobody would notice before they do. */
export function endpointWarnings(patterns: readonly string[] | null | undefined): string[] {
  const unknown = (patterns ?? []).filter(
    (pattern) => !Object.hasOwn(ENDPOINT_GROUPS, pattern) && !isListedEndpoint(pattern),
  );
  return unknown.map((pattern) => {
    const meant = nearestEndpoint(pattern);
    const advice = meant === undefined ? "" : ` Did you mean \`${meant}\`?`;
    return `This version knows no endpoint \`${pattern}\`, and meters none of that name.${advice}`;
  });
}
