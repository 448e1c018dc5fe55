import { z } from "@hono/zod-openapi";
import { isId } from "../../core/ids/ids.ts";

const MAX_NAME_CHARACTERS = 100;
const MAX_EXTERNAL_ID_CHARACTERS = 256;
const MAX_REFERENCE_CHARACTERS = 256;

/** Control characters steer terminals; bidirectional overrides make one name look like another. */
const PRINTABLE_PATTERN = /^[^\p{Cc}\p{Zl}\p{Zp}\u{202A}-\u{202E}\u{2066}-\u{2069}]*$/u;
const PRINTABLE_MESSAGE = "must not contain control characters";

/** Header-safe: it is sent back in `x-keyward-environment` and stands in commands and variable names. */
const ENVIRONMENT_NAME_PATTERN = /^[a-z][a-z0-9-]{0,39}$/;

/** A name for people. */
export function nameField(description: string, example: string) {
  return z
    .string()
    .trim()
    .normalize("NFC")
    .min(1)
    .max(MAX_NAME_CHARACTERS)
    .regex(PRINTABLE_PATTERN, PRINTABLE_MESSAGE)
    .openapi({ description, example });
}

/**
 * A name by which an object is also referred to, where its id can stand too: it must not look like an id, or one
 * object could take another's place.
 */
export function referableNameField(idPrefix: string, description: string, example: string) {
  return nameField(description, example).refine(
    (name) => !isId(idPrefix, name),
    "must not look like an id of Keyward",
  );
}

export const environmentNameField = z
  .string()
  .regex(
    ENVIRONMENT_NAME_PATTERN,
    "must be 1 to 40 lower-case letters, digits and dashes, and begin with a letter",
  )
  .openapi({ description: "Unique.", example: "preview" });

/** The team's own name for a customer, as calls name it. Compared to the letter: no normalisation but trimming. */
export const externalIdField = z
  .string()
  .trim()
  .min(1)
  .max(MAX_EXTERNAL_ID_CHARACTERS)
  .regex(PRINTABLE_PATTERN, PRINTABLE_MESSAGE)
  .refine((id) => !isId("cus", id), "must not look like an id of Keyward")
  .openapi({
    description: "Your own id for the customer; unique, never changed.",
    example: "acme",
  });

/** An id, or the name that stands for it; no name has what Postgres would not even compare. Whether there is such an object is for the handler to find out. */
export function referenceField(description: string, example: string) {
  return z
    .string()
    .trim()
    .min(1)
    .max(MAX_REFERENCE_CHARACTERS)
    .regex(PRINTABLE_PATTERN, PRINTABLE_MESSAGE)
    .openapi({ description, example });
}

/** `{id}` in a path. A value that is no id simply names nothing: 404, not 400. */
export function idParam(example: string) {
  return z.object({ id: z.string().openapi({ param: { name: "id", in: "path" }, example }) });
}
