import { z } from "@hono/zod-openapi";
import { SCOPE_KINDS } from "../../core/scopes/scope.ts";
import { closedObject } from "./closed-object.ts";
import { referenceField } from "./names.ts";

const kindField = z.enum(SCOPE_KINDS).openapi({
  description: "Whose calls are counted.",
  example: "customer",
});

export const scopeInput = closedObject({
  kind: kindField,
  id: referenceField(
    "The one that is meant: an id, a name, a customer's external id, or a feature's name. Absent: each one of the kind by itself; for `organization`, all calls.",
    "acme",
  ).nullish(),
}).openapi("ScopeInput");

export const scopeSchema = z
  .object({
    kind: kindField,
    id: z.string().nullable().openapi({
      description: "Null: each one of the kind by itself; for `organization`, all calls.",
    }),
    name: z.string().nullable().openapi({
      description: "For people, where it has a name besides its id.",
    }),
  })
  .openapi("Scope");
