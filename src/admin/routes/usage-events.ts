import { createRoute, z } from "@hono/zod-openapi";
import type { AdminDeps } from "../admin-deps.ts";
import type { AdminRouter } from "../admin-router.ts";
import { jsonAnswer } from "../answers/json-content.ts";
import { EXPORT_FORMATS } from "../answers/page-export.ts";
import { errorAnswers, refuseProblems } from "../answers/refusal.ts";
import { closedQuery } from "../fields/closed-object.ts";
import { listOf, pageRequestOf, pagingFields } from "../fields/paging.ts";
import { NameLookup } from "../name-lookup.ts";
import { lastCorrections } from "../repricer.ts";
import { createEventExporter } from "./usage-event-export.ts";
import { formatUsageEvent, usageEventSchema } from "./usage-event-schema.ts";
import { eventFilterFields, resolveUsageFilter } from "./usage-filter.ts";

const listUsageEvents = createRoute({
  method: "get",
  path: "/usage/events",
  operationId: "listUsageEvents",
  tags: ["usage"],
  summary: "List provider calls, newest first",
  request: { query: closedQuery({ ...pagingFields, ...eventFilterFields }) },
  responses: {
    200: jsonAnswer("A page of usage events.", listOf("UsageEventList", usageEventSchema)),
    ...errorAnswers(),
  },
});

const exportUsageEvents = createRoute({
  method: "get",
  path: "/usage/events/export",
  operationId: "exportUsageEvents",
  tags: ["usage"],
  summary: "Stream every provider call that matches, as CSV or JSON lines",
  description: [
    "Newest first, without a limit; calls that end while it runs may be missing. A connection that is cut before the end means that the export broke off.",
    "CSV is RFC 4180 with a header row, in UTF-8. In it, text that a spreadsheet would take for a formula (it begins with `=`, `+`, `-`, `@`, a tab or a carriage return) gets an apostrophe in front. JSON lines are exact: one usage event a line.",
  ].join("\n\n"),
  request: {
    query: closedQuery({
      format: z.enum(EXPORT_FORMATS).default("csv").openapi({ example: "csv" }),
      ...eventFilterFields,
    }),
  },
  responses: {
    200: {
      description: "All of them.",
      content: {
        "text/csv": { schema: z.string() },
        "application/x-ndjson": { schema: z.string() },
      },
    },
    ...errorAnswers(),
  },
});

export function registerUsageEvents(
  router: AdminRouter,
  { store, onFault }: Pick<AdminDeps, "store" | "onFault">,
): void {
  const exporter = createEventExporter(store);

  router.openapi(listUsageEvents, async (context) => {
    const query = context.req.valid("query");
    const resolved = await resolveUsageFilter(store, query);
    if ("problems" in resolved) return refuseProblems(context, resolved.problems);
    const page = await store.usage.listEvents(pageRequestOf(query), resolved.filter);
    const names = new NameLookup(store);
    const corrections = await lastCorrections({ store }, page.rows);
    const data = await Promise.all(
      page.rows.map((event) => formatUsageEvent(event, names, corrections.get(event.id))),
    );
    return context.json({ data, nextCursor: page.nextCursor }, 200);
  });

  router.openapi(exportUsageEvents, async (context) => {
    const { format, ...given } = context.req.valid("query");
    const resolved = await resolveUsageFilter(store, given);
    if ("problems" in resolved) return refuseProblems(context, resolved.problems);
    const requestId = context.get("requestId");
    const { method, path } = context.req;
    const { contentType, fileName, body } = await exporter.start(format, resolved.filter, {
      onBreak: (error) => onFault?.({ requestId, method, path, code: "internal_error", error }),
      isStillAllowed: context.get("isStillAllowed"),
    });
    context.header("content-type", contentType);
    context.header("content-disposition", `attachment; filename="${fileName}"`);
    return context.body(body, 200);
  });
}
