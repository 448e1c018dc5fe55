import type { z } from "@hono/zod-openapi";
import { closedObject } from "../fields/closed-object.ts";

/** A `responses` entry of a route definition. */
export function jsonAnswer<Schema extends z.ZodType>(description: string, schema: Schema) {
  return { description, content: { "application/json": { schema } } };
}

/** A `request.body` that must be there. */
export function jsonBody<Schema extends z.ZodType>(schema: Schema) {
  return { required: true, content: { "application/json": { schema } } };
}

/** The body of an action that takes no fields: absent or `{}`; a field in it is refused by name. */
export const emptyBody = {
  required: false,
  content: { "application/json": { schema: closedObject({}) } },
};
