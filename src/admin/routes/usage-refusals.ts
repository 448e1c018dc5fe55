import { createRoute, z } from "@hono/zod-openapi";
import type { AdminDeps } from "../admin-deps.ts";
import type { AdminRouter } from "../admin-router.ts";
import { jsonAnswer } from "../answers/json-content.ts";
import { errorAnswers, refuseProblems } from "../answers/refusal.ts";
import { closedQuery } from "../fields/closed-object.ts";
import { instantField } from "../fields/instants.ts";
import { listOf } from "../fields/paging.ts";
import { resolveUsageFilter } from "./usage-filter.ts";

const refusalSchema = z
  .object({
    code: z
      .string()
      .openapi({ description: "The error code of the answer.", example: "invalid_api_key" }),
    calls: z.number().openapi({ type: "integer" }),
  })
  .openapi("UsageRefusal");

const listUsageRefusals = createRoute({
  method: "get",
  path: "/usage/refusals",
  operationId: "listUsageRefusals",
  tags: ["usage"],
  summary: "Count the calls that Keyward itself refused, by reason",
  description:
    "Such calls never reached a provider and are no usage events. From hourly sums: `from` counts from the full hour before it, `to` up to the full hour after it.",
  request: {
    query: closedQuery({
      from: instantField("Inclusive; the full hour at or before it.").optional(),
      to: instantField("Exclusive; the full hour at or after it.").optional(),
    }),
  },
  responses: {
    200: jsonAnswer("All reasons.", listOf("UsageRefusalList", refusalSchema)),
    ...errorAnswers(),
  },
});

export function registerUsageRefusals(
  router: AdminRouter,
  { store }: Pick<AdminDeps, "store">,
): void {
  router.openapi(listUsageRefusals, async (context) => {
    const resolved = await resolveUsageFilter(store, context.req.valid("query"));
    if ("problems" in resolved) return refuseProblems(context, resolved.problems);
    const { fromMs, toMs } = resolved.filter;
    const rows = await store.usage.summarizeRefusals({ fromMs, toMs });
    // One row a code of a closed table: there is never a second page.
    const data = rows.map(({ code, count }) => ({ code, calls: count }));
    return context.json({ data, nextCursor: null }, 200);
  });
}
