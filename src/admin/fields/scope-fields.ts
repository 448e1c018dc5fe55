import { z } from "@hono/zod-openapi";
import { SCOPE_KINDS } from "../../core/scopes/scope.ts";
import { closedObject } from "./closed-object.ts";
import { referenceField } from "./names.ts";

const scopeKindField = z.enum(SCOPE_KINDS).openapi({
  description: "Whose calls are counted.",
  example: "customer",
});

export const scopeInput = closedObject({
  kind: scopeKindField,
  id: referenceField(
    "The one that is meant: an id, a name, a customer's external id, or a feature's name. Absent: each one of the kind by itself; for `organization`, all calls.",
    "acme",
  ).nullish(),
}).openapi("ScopeInput");

export const scopeSchema = z
  .object({
    kind: scopeKindField,
    id: z.string().nullable().openapi({
      description: "Null: each one of the kind by itself; for `organization`, all calls.",
    }),
    name: z.string().nullable().openapi({
      description: "For people, where it has a name besides its id.",
    }),
  })
  .openapi("Scope");

/** The query parameters of a list whose entries have a scope. */
export const scopeFilterFields = {
  scopeKind: z.enum(SCOPE_KINDS).optional().openapi({ description: "Only those of this kind." }),
  scopeId: referenceField(
    "Only those that name this one: an id, a name, or a customer's external id. Needs `scopeKind`.",
    "acme",
  ).optional(),
};
