import { createRoute, z } from "@hono/zod-openapi";
import type { ProjectRecord } from "../../store/records.ts";
import type { AdminDeps } from "../admin-deps.ts";
import type { AdminRouter } from "../admin-router.ts";
import { jsonAnswer, jsonBody } from "../answers/json-content.ts";
import { BODY_CODES, errorAnswers, refuse } from "../answers/refusal.ts";
import { closedObject, closedQuery } from "../fields/closed-object.ts";
import { formatInstant, instantAnswer } from "../fields/instants.ts";
import { referableNameField } from "../fields/names.ts";
import { listAnswer, listOf, pageRequestOf, pagingFields } from "../fields/paging.ts";
import { uniqueViolationOf } from "../unique-violation.ts";

const projectSchema = z
  .object({
    id: z.string().openapi({ example: "prj_01JZ6Y4V2S8W3N5R7T9X0B1C2D" }),
    name: z.string().openapi({ example: "default" }),
    createdAt: instantAnswer("When it was created."),
  })
  .openapi("Project");

const listProjects = createRoute({
  method: "get",
  path: "/projects",
  operationId: "listProjects",
  tags: ["projects"],
  summary: "List projects, newest first",
  request: { query: closedQuery(pagingFields) },
  responses: {
    200: jsonAnswer("A page of projects.", listOf("ProjectList", projectSchema)),
    ...errorAnswers(),
  },
});

const createProject = createRoute({
  method: "post",
  path: "/projects",
  operationId: "createProject",
  tags: ["projects"],
  summary: "Create a project",
  request: {
    query: closedQuery({}),
    body: jsonBody(
      closedObject({ name: referableNameField("prj", "Unique.", "support-bot") }).openapi(
        "ProjectInput",
      ),
    ),
  },
  responses: {
    201: jsonAnswer("The project.", projectSchema),
    ...errorAnswers("conflict", ...BODY_CODES),
  },
});

export function registerProjects(
  router: AdminRouter,
  { store, ids, clock }: Pick<AdminDeps, "store" | "ids" | "clock">,
): void {
  router.openapi(listProjects, async (context) => {
    const page = await store.projects.list(pageRequestOf(context.req.valid("query")));
    return context.json(listAnswer(page, formatProject), 200);
  });

  router.openapi(createProject, async (context) => {
    const { name } = context.req.valid("json");
    const record: ProjectRecord = { id: ids.create("prj"), name, createdAtMs: clock.nowMs() };
    const violation = await uniqueViolationOf(store.projects.insert(record));
    if (violation)
      return refuse(context, "conflict", "There is already a project of this name.", "name");
    return context.json(formatProject(record), 201);
  });
}

function formatProject(record: ProjectRecord): z.infer<typeof projectSchema> {
  return { id: record.id, name: record.name, createdAt: formatInstant(record.createdAtMs) };
}
