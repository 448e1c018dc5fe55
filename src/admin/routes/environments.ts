import { createRoute, z } from "@hono/zod-openapi";
import {
  DEFAULT_UNPRICED_POLICY,
  ENVIRONMENT_KINDS,
  UNPRICED_POLICIES,
} from "../../core/environments/environment.ts";
import { formatUsd } from "../../core/money/picos.ts";
import { NO_SETTINGS } from "../../core/policy/environment-policy.ts";
import type { EnvironmentRecord } from "../../store/records.ts";
import type { AdminDeps } from "../admin-deps.ts";
import type { AdminRouter } from "../admin-router.ts";
import { jsonAnswer, jsonBody } from "../answers/json-content.ts";
import { BODY_CODES, errorAnswers, refuse } from "../answers/refusal.ts";
import { closedObject, closedQuery } from "../fields/closed-object.ts";
import { formatInstant, instantAnswer } from "../fields/instants.ts";
import { usdField } from "../fields/money.ts";
import { environmentNameField, idParam } from "../fields/names.ts";
import { listAnswer, listOf, pageRequestOf, pagingFields } from "../fields/paging.ts";
import { findEnvironment } from "../references.ts";
import { uniqueViolationOf } from "../unique-violation.ts";

const kindField = z.enum(ENVIRONMENT_KINDS).openapi({
  description: "Decides the prefix of its gateway keys and which policies hold.",
  example: "staging",
});

const policyField = z.enum(UNPRICED_POLICIES).openapi({
  description:
    "What becomes of a call whose model has no price: `allow_and_alert` makes it and logs it, `refuse` refuses it before it is sent.",
  example: "allow_and_alert",
});

const ceilingField = usdField(
  "What is set aside for a call whose worst case can't be told, where a hard budget counts it; null: such a call is refused.",
  "zero",
)
  .nullish()
  .openapi({ type: ["string", "null"] });

const environmentSchema = z
  .object({
    id: z.string().openapi({ example: "env_01JZ6Y4V2S8W3N5R7T9X0B1C2D" }),
    name: z.string().openapi({ example: "preview" }),
    kind: kindField,
    unpricedPolicy: policyField,
    budgetCeilingUsd: z.string().nullable().openapi({
      description:
        "What is set aside for a call whose worst case can't be told, where a hard budget counts it; null: such a call is refused.",
      example: "2.5",
    }),
    createdAt: instantAnswer("When it was created."),
  })
  .openapi("Environment");

const listEnvironments = createRoute({
  method: "get",
  path: "/environments",
  operationId: "listEnvironments",
  tags: ["environments"],
  summary: "List environments, newest first",
  request: { query: closedQuery(pagingFields) },
  responses: {
    200: jsonAnswer("A page of environments.", listOf("EnvironmentList", environmentSchema)),
    ...errorAnswers(),
  },
});

const createEnvironment = createRoute({
  method: "post",
  path: "/environments",
  operationId: "createEnvironment",
  tags: ["environments"],
  summary: "Create a custom environment",
  description: "`development`, `staging` and `production` are there from the first start.",
  request: {
    query: closedQuery({}),
    body: jsonBody(
      closedObject({
        name: environmentNameField,
        kind: kindField,
        unpricedPolicy: policyField.optional(),
        budgetCeilingUsd: ceilingField,
      }).openapi("EnvironmentInput"),
    ),
  },
  responses: {
    201: jsonAnswer("The environment.", environmentSchema),
    ...errorAnswers("conflict", ...BODY_CODES),
  },
});

const updateEnvironment = createRoute({
  method: "patch",
  path: "/environments/{id}",
  operationId: "updateEnvironment",
  tags: ["environments"],
  summary: "Update an environment's policies",
  description:
    "By id or name. Reaches every process within a second. A field that is absent stays as it is.",
  request: {
    params: idParam("production"),
    query: closedQuery({}),
    body: jsonBody(
      closedObject({
        unpricedPolicy: policyField.optional(),
        budgetCeilingUsd: ceilingField,
      }).openapi("EnvironmentUpdate"),
    ),
  },
  responses: {
    200: jsonAnswer("The environment.", environmentSchema),
    ...errorAnswers("not_found", ...BODY_CODES),
  },
});

export function registerEnvironments(
  router: AdminRouter,
  { store, ids, clock }: Pick<AdminDeps, "store" | "ids" | "clock">,
): void {
  router.openapi(listEnvironments, async (context) => {
    const page = await store.environments.list(pageRequestOf(context.req.valid("query")));
    return context.json(listAnswer(page, formatEnvironment), 200);
  });

  router.openapi(createEnvironment, async (context) => {
    const { name, kind, unpricedPolicy, budgetCeilingUsd } = context.req.valid("json");
    const record: EnvironmentRecord = {
      id: ids.create("env"),
      name,
      kind,
      unpricedPolicy: unpricedPolicy ?? DEFAULT_UNPRICED_POLICY,
      budgetCeilingPicos: budgetCeilingUsd ?? null,
      policy: NO_SETTINGS,
      createdAtMs: clock.nowMs(),
    };
    const violation = await uniqueViolationOf(store.environments.insert(record));
    if (violation) {
      return refuse(context, "conflict", "There is already an environment of this name.", "name");
    }
    return context.json(formatEnvironment(record), 201);
  });

  router.openapi(updateEnvironment, async (context) => {
    const { id } = context.req.valid("param");
    const { unpricedPolicy, budgetCeilingUsd } = context.req.valid("json");
    const change = {
      ...(unpricedPolicy !== undefined && { unpricedPolicy }),
      ...(budgetCeilingUsd !== undefined && { budgetCeilingPicos: budgetCeilingUsd }),
    };
    const record = await findEnvironment(store, id);
    const isChanged = record && (await store.environments.update(record.id, change));
    if (!record || !isChanged) {
      return refuse(context, "not_found", "There is no environment of this id or name.", "id");
    }
    return context.json(formatEnvironment({ ...record, ...change }), 200);
  });
}

function formatEnvironment(record: EnvironmentRecord): z.infer<typeof environmentSchema> {
  const { id, name, kind, unpricedPolicy, budgetCeilingPicos, createdAtMs } = record;
  return {
    id,
    name,
    kind,
    unpricedPolicy,
    budgetCeilingUsd: budgetCeilingPicos === null ? null : formatUsd(budgetCeilingPicos),
    createdAt: formatInstant(createdAtMs),
  };
}
