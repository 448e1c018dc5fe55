import { createRoute, z } from "@hono/zod-openapi";
import type { AuditEntry } from "../../core/audit/audit-entry.ts";
import type { AuditFilter } from "../../store/audit-repository.ts";
import type { Page } from "../../store/store.ts";
import type { AdminDeps } from "../admin-deps.ts";
import type { AdminRouter } from "../admin-router.ts";
import { type CsvCell, formatCsvLine } from "../answers/csv-line.ts";
import { jsonAnswer } from "../answers/json-content.ts";
import { errorAnswers, refuse, refuseProblems } from "../answers/refusal.ts";
import { closedQuery } from "../fields/closed-object.ts";
import { instantField } from "../fields/instants.ts";
import { referenceField } from "../fields/names.ts";
import { listAnswer, listOf, pageRequestOf, pagingFields } from "../fields/paging.ts";
import { References } from "../references.ts";
import { type AuditEntryAnswer, entrySchema, formatEntry, verdictSchema } from "./audit-schemas.ts";

const TAGS = ["audit"];
const MAX_TEXT_CHARACTERS = 256;
const EXPORT_FORMATS = ["csv", "jsonl"] as const;
type ExportFormat = (typeof EXPORT_FORMATS)[number];
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
    const { last, problem = null } = await store.verify(expected);
    return context.json({ isWhole: problem === null, last, problem }, 200);
  });

  router.openapi(exportEntries, async (context) => {
    const { format, ...given } = context.req.valid("query");
    const resolved = await resolveFilter(store, given);
    if ("problems" in resolved) return refuseProblems(context, resolved.problems);
    const readPage = (cursor?: string) =>
      store.audit.list({ limit: EXPORT_PAGE_SIZE, cursor }, resolved.filter);
    const first = await readPage();
    const requestId = context.get("requestId");
    const { method, path } = context.req;
    const lines = exportLines(format, first, readPage, (error) =>
      onFault?.({ requestId, method, path, code: "internal_error", error }),
    );
    const { contentType, fileName } = FORMATS[format];
    context.header("content-type", contentType);
    context.header("content-disposition", `attachment; filename="${fileName}"`);
    return context.body(ReadableStream.from(lines), 200);
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

const ENCODER = new TextEncoder();

/** A page at a time, as the reader takes it. Tells `onBreak` what went wrong, and the reader only that something did. */
async function* exportLines(
  format: ExportFormat,
  first: Page<AuditEntry>,
  readPage: (cursor: string) => Promise<Page<AuditEntry>>,
  onBreak: (error: unknown) => void,
): AsyncGenerator<Uint8Array> {
  const { head, lineOf } = FORMATS[format];
  let page = first;
  let text = head;
  for (;;) {
    for (const entry of page.rows) text += lineOf(formatEntry(entry));
    yield ENCODER.encode(text);
    if (page.nextCursor === null) return;
    try {
      page = await readPage(page.nextCursor);
    } catch (error) {
      onBreak(error);
      throw new Error("the export broke off: a page could not be read", { cause: error });
    }
    text = "";
  }
}

type CsvColumn = readonly [title: string, cellOf: (entry: AuditEntryAnswer) => CsvCell];

const CSV_COLUMNS: readonly CsvColumn[] = [
  ["sequence", ({ sequence }) => sequence],
  ["at", ({ at }) => at],
  ["actor.kind", ({ actor }) => actor.kind],
  ["actor.id", ({ actor }) => actor.id],
  ["actor.name", ({ actor }) => actor.name],
  ["address", ({ address }) => address],
  ["requestId", ({ requestId }) => requestId],
  ["action", ({ action }) => action],
  ["target.kind", ({ target }) => target.kind],
  ["target.id", ({ target }) => target.id],
  ["target.name", ({ target }) => target.name],
  ["environmentId", ({ environmentId }) => environmentId],
  ["before", ({ before }) => before && JSON.stringify(before)],
  ["after", ({ after }) => after && JSON.stringify(after)],
  ["previousHash", ({ previousHash }) => previousHash],
  ["hash", ({ hash }) => hash],
];

const FORMATS = {
  csv: {
    contentType: "text/csv; charset=utf-8; header=present",
    fileName: "audit.csv",
    head: formatCsvLine(CSV_COLUMNS.map(([title]) => title)),
    lineOf: (entry: AuditEntryAnswer) =>
      formatCsvLine(CSV_COLUMNS.map(([, cellOf]) => cellOf(entry))),
  },
  jsonl: {
    contentType: "application/x-ndjson",
    fileName: "audit.jsonl",
    head: "",
    lineOf: (entry: AuditEntryAnswer) => `${JSON.stringify(entry)}\n`,
  },
} as const satisfies Record<ExportFormat, object>;
