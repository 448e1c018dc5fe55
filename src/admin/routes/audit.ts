import { createRoute, z } from "@hono/zod-openapi";
import type { AuditFilter } from "../../store/audit-repository.ts";
import type { AdminDeps } from "../admin-deps.ts";
import type { AdminRouter } from "../admin-router.ts";
import { jsonAnswer } from "../answers/json-content.ts";
import { type CsvColumn, EXPORT_FORMATS, startPageExport } from "../answers/page-export.ts";
import { errorAnswers, refuse, refuseProblems } from "../answers/refusal.ts";
import { closedQuery } from "../fields/closed-object.ts";
import { instantField } from "../fields/instants.ts";
import { referenceField } from "../fields/names.ts";
import { listAnswer, listOf, pageRequestOf, pagingFields } from "../fields/paging.ts";
import { References } from "../references.ts";
import {
  type AuditEntryAnswer,
  entrySchema,
  formatEntry,
  formatVerdict,
  verdictSchema,
} from "./audit-schemas.ts";

const TAGS = ["audit"];
const MAX_TEXT_CHARACTERS = 256;
/** Formatted in one go, on the event loop that also serves calls. */
const EXPORT_PAGE_SIZE = 200;

const textField = z.string().min(1).max(MAX_TEXT_CHARACTERS);

const filterFields = {
  action: textField.optional().openapi({
    description: "`gatewayKey.revoked`; with a point at its end all that begin so: `gatewayKey.`",
    example: "gatewayKey.",
  }),
  actor: textField.optional().openapi({ description: "The name of who did it." }),
  target: textField.optional().openapi({ description: "The id of what was changed." }),
  environment: referenceField("An environment's name or id.", "production").optional(),
  from: instantField("Inclusive.").optional(),
  to: instantField("Exclusive.").optional(),
};

interface GivenFilter {
  readonly action?: string | undefined;
  readonly actor?: string | undefined;
  readonly target?: string | undefined;
  readonly environment?: string | undefined;
  readonly from?: number | undefined;
  readonly to?: number | undefined;
}

const listEntries = createRoute({
  method: "get",
  path: "/audit",
  operationId: "listAuditEntries",
  tags: TAGS,
  summary: "List what was changed by hand, newest first",
  request: { query: closedQuery({ ...pagingFields, ...filterFields }) },
  responses: {
    200: jsonAnswer("A page of entries.", listOf("AuditEntryList", entrySchema)),
    ...errorAnswers(),
  },
});

const verify = createRoute({
  method: "get",
  path: "/audit/verify",
  operationId: "verifyAudit",
  tags: TAGS,
  summary: "Read the whole log and say whether anything was altered, removed or moved",
  request: {
    query: closedQuery({
      expect: z
        .string()
        .regex(/^[1-9]\d{0,14}:[0-9a-f]{64}$/, "must be SEQUENCE:HASH, as an earlier run gave it")
        .optional()
        .openapi({ description: "An entry that is known from elsewhere, as `SEQUENCE:HASH`." }),
    }),
  },
  responses: { 200: jsonAnswer("What was found.", verdictSchema), ...errorAnswers() },
});

const exportEntries = createRoute({
  method: "get",
  path: "/audit/export",
  operationId: "exportAudit",
  tags: TAGS,
  summary: "Stream every entry that matches, as CSV or JSON lines",
  description:
    "Newest first, without a limit. A connection that is cut before the end means that the export broke off. JSON lines are exact; in CSV, text that a spreadsheet would take for a formula gets an apostrophe in front.",
  request: {
    query: closedQuery({
      format: z.enum(EXPORT_FORMATS).default("jsonl").openapi({ example: "jsonl" }),
      ...filterFields,
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

const getEntry = createRoute({
  method: "get",
  path: "/audit/{sequence}",
  operationId: "getAuditEntry",
  tags: TAGS,
  summary: "Get an entry by its place in the chain",
  request: {
    params: z.object({
      sequence: z
        .string()
        .regex(/^[1-9]\d{0,14}$/, "must be a whole number from 1 on")
        .transform(Number)
        .openapi({ param: { name: "sequence", in: "path" }, type: "integer", example: 17 }),
    }),
    query: closedQuery({}),
  },
  responses: { 200: jsonAnswer("The entry.", entrySchema), ...errorAnswers("not_found") },
});

export function registerAudit(
  router: AdminRouter,
  { store, onFault }: Pick<AdminDeps, "store" | "onFault">,
): void {
  router.openapi(listEntries, async (context) => {
    const query = context.req.valid("query");
    const resolved = await resolveFilter(store, query);
    if ("problems" in resolved) return refuseProblems(context, resolved.problems);
    const page = await store.audit.list(pageRequestOf(query), resolved.filter);
    return context.json(listAnswer(page, formatEntry), 200);
  });

  router.openapi(verify, async (context) => {
    const [sequence, hash = ""] = context.req.valid("query").expect?.split(":") ?? [];
    const expected = sequence === undefined ? undefined : { sequence: Number(sequence), hash };
    return context.json(formatVerdict(await store.verify(expected)), 200);
  });

  router.openapi(exportEntries, async (context) => {
    const { format, ...given } = context.req.valid("query");
    const resolved = await resolveFilter(store, given);
    if ("problems" in resolved) return refuseProblems(context, resolved.problems);
    const requestId = context.get("requestId");
    const { method, path } = context.req;
    const { contentType, fileName, body } = await startPageExport(format, {
      name: "audit",
      columns: CSV_COLUMNS,
      readPage: (cursor) => store.audit.list({ limit: EXPORT_PAGE_SIZE, cursor }, resolved.filter),
      format: (entries) => Promise.resolve(entries.map(formatEntry)),
      onBreak: (error) => onFault?.({ requestId, method, path, code: "internal_error", error }),
      isStillAllowed: context.get("isStillAllowed"),
    });
    context.header("content-type", contentType);
    context.header("content-disposition", `attachment; filename="${fileName}"`);
    return context.body(body, 200);
  });

  router.openapi(getEntry, async (context) => {
    const entry = await store.audit.findBySequence(context.req.valid("param").sequence);
    if (entry === undefined) {
      const message = "There is no entry of this number; `keyward audit list` has them.";
      return refuse(context, "not_found", message, "sequence");
    }
    return context.json(formatEntry(entry), 200);
  });
}

async function resolveFilter(store: AdminDeps["store"], given: GivenFilter) {
  const references = new References(store);
  const environment =
    given.environment === undefined
      ? undefined
      : await references.environment("environment", given.environment);
  if (references.problems.length > 0) return { problems: references.problems };
  const filter: AuditFilter = {
    action: given.action,
    actor: given.actor,
    targetId: given.target,
    environmentId: environment?.id,
    fromMs: given.from,
    toMs: given.to,
  };
  return { filter };
}

const CSV_COLUMNS: readonly CsvColumn<AuditEntryAnswer>[] = [
  { name: "sequence", cellOf: ({ sequence }) => sequence },
  { name: "at", cellOf: ({ at }) => at },
  { name: "actor.kind", cellOf: ({ actor }) => actor.kind },
  { name: "actor.id", cellOf: ({ actor }) => actor.id },
  { name: "actor.name", cellOf: ({ actor }) => actor.name },
  { name: "address", cellOf: ({ address }) => address },
  { name: "requestId", cellOf: ({ requestId }) => requestId },
  { name: "action", cellOf: ({ action }) => action },
  { name: "target.kind", cellOf: ({ target }) => target.kind },
  { name: "target.id", cellOf: ({ target }) => target.id },
  { name: "target.name", cellOf: ({ target }) => target.name },
  { name: "environmentId", cellOf: ({ environmentId }) => environmentId },
  { name: "before", cellOf: ({ before }) => before && JSON.stringify(before) },
  { name: "after", cellOf: ({ after }) => after && JSON.stringify(after) },
  { name: "previousHash", cellOf: ({ previousHash }) => previousHash },
  { name: "hash", cellOf: ({ hash }) => hash },
];
