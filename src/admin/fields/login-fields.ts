import { z } from "@hono/zod-openapi";
import { MAX_EMAIL_CHARACTERS, parseEmailAddress } from "../../core/access/email-address.ts";
import { ROLES } from "../../core/access/role.ts";
import { referenceField } from "./names.ts";

const MAX_PASSWORD_CHARACTERS = 512;
const MIN_PASSWORD_CHARACTERS = 12;

/** Every address that comes from outside, an identity provider's word among them, passes here. */
export const emailField = z
  .string()
  .refine(
    (text) => parseEmailAddress(text) !== undefined,
    "must be an e-mail address, without letters that another letter could be taken for (write others than A to Z small)",
  )
  .overwrite((text) => parseEmailAddress(text) ?? text)
  .openapi({ example: "anna@example.com", maxLength: MAX_EMAIL_CHARACTERS });

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
