import { z } from "@hono/zod-openapi";
import { ROLES } from "../../core/access/role.ts";
import { referenceField } from "./names.ts";

const MAX_PASSWORD_CHARACTERS = 512;
const MIN_PASSWORD_CHARACTERS = 12;

export const emailField = z
  .string()
  .trim()
  .toLowerCase()
  .max(254)
  .regex(/^[^\s@\p{Cc}]+@[^\s@\p{Cc}]+\.[^\s@\p{Cc}]+$/u, "must be an e-mail address")
  .openapi({ example: "anna@example.com" });

/** One that is set. */
export const newPasswordField = z
  .string()
  .min(MIN_PASSWORD_CHARACTERS, `must have at least ${MIN_PASSWORD_CHARACTERS} characters`)
  .max(MAX_PASSWORD_CHARACTERS)
  .openapi({ description: "At least 12 characters, of any kind.", format: "password" });

/** One that is tried: what cannot be right is not told apart from what is wrong. */
export const givenPasswordField = z
  .string()
  .max(MAX_PASSWORD_CHARACTERS)
  .openapi({ format: "password" });

export const roleField = z.enum(ROLES).openapi({ example: "developer" });

export const environmentsField = z
  .array(referenceField("An environment's name or id.", "production"))
  .max(100)
  .nullish();
