import { createRoute, z } from "@hono/zod-openapi";
import type { CustomerRecord } from "../../store/records.ts";
import type { AdminDeps } from "../admin-deps.ts";
import type { AdminRouter } from "../admin-router.ts";
import { jsonAnswer, jsonBody } from "../answers/json-content.ts";
import { BODY_CODES, errorAnswers, refuse } from "../answers/refusal.ts";
import { closedObject, closedQuery } from "../fields/closed-object.ts";
import { formatInstant, instantAnswer } from "../fields/instants.ts";
import { externalIdField, idParam, nameField } from "../fields/names.ts";
import { listAnswer, listOf, pageRequestOf, pagingFields } from "../fields/paging.ts";
import { findCustomer } from "../references.ts";
import { uniqueViolationOf } from "../unique-violation.ts";

const customerSchema = z
  .object({
    id: z.string().openapi({ example: "cus_01JZ6Y4V2S8W3N5R7T9X0B1C2D" }),
    externalId: z.string().openapi({ example: "acme" }),
    name: z.string().nullable().openapi({ example: "Acme Ltd" }),
    createdAt: instantAnswer("When it was created."),
  })
  .openapi("Customer");

const listCustomers = createRoute({
  method: "get",
  path: "/customers",
  operationId: "listCustomers",
  tags: ["customers"],
  summary: "List customers, newest first",
  request: { query: closedQuery(pagingFields) },
  responses: {
    200: jsonAnswer("A page of customers.", listOf("CustomerList", customerSchema)),
    ...errorAnswers(),
  },
});

const createCustomer = createRoute({
  method: "post",
  path: "/customers",
  operationId: "createCustomer",
  tags: ["customers"],
  summary: "Create a customer",
  request: {
    query: closedQuery({}),
    body: jsonBody(
      closedObject({
        externalId: externalIdField,
        name: nameField("For people.", "Acme Ltd").nullish(),
      }).openapi("CustomerInput"),
    ),
  },
  responses: {
    201: jsonAnswer("The customer.", customerSchema),
    ...errorAnswers("conflict", ...BODY_CODES),
  },
});

const getCustomer = createRoute({
  method: "get",
  path: "/customers/{id}",
  operationId: "getCustomer",
  tags: ["customers"],
  summary: "Get a customer by id or external id",
  request: { params: idParam("acme"), query: closedQuery({}) },
  responses: { 200: jsonAnswer("The customer.", customerSchema), ...errorAnswers("not_found") },
});

export function registerCustomers(
  router: AdminRouter,
  { store, ids, clock }: Pick<AdminDeps, "store" | "ids" | "clock">,
): void {
  router.openapi(listCustomers, async (context) => {
    const page = await store.customers.list(pageRequestOf(context.req.valid("query")));
    return context.json(listAnswer(page, formatCustomer), 200);
  });

  router.openapi(createCustomer, async (context) => {
    const { externalId, name } = context.req.valid("json");
    const record: CustomerRecord = {
      id: ids.create("cus"),
      externalId,
      name: name ?? null,
      createdAtMs: clock.nowMs(),
    };
    const violation = await uniqueViolationOf(store.customers.insert(record));
    if (violation) {
      const message = "There is already a customer of this external id.";
      return refuse(context, "conflict", message, "externalId");
    }
    return context.json(formatCustomer(record), 201);
  });

  router.openapi(getCustomer, async (context) => {
    const record = await findCustomer(store, context.req.valid("param").id);
    if (!record) {
      return refuse(context, "not_found", "There is no customer of this id or external id.", "id");
    }
    return context.json(formatCustomer(record), 200);
  });
}

function formatCustomer(record: CustomerRecord): z.infer<typeof customerSchema> {
  const { id, externalId, name, createdAtMs } = record;
  return { id, externalId, name, createdAt: formatInstant(createdAtMs) };
}
