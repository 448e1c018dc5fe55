import { z } from "@hono/zod-openapi";
import { createErrorBody } from "../../wire/openai/error-body.ts";

/** One thing that is wrong with a request. `param` is the field's path (`allowedModels.0`), null for the whole. */
export interface Problem {
  readonly param: string | null;
  /** A sentence for people, without a secret. */
  readonly message: string;
}

/**
 * OpenAI's error shape. `problems` is ours: a request with several mistakes gets all of them at once; `message` then
 * has them all in one text and `param` is the first.
 */
export const errorBodySchema = z
  .object({
    error: z.object({
      message: z.string(),
      type: z.string(),
      param: z.string().nullable(),
      code: z.string(),
      problems: z
        .array(z.object({ param: z.string().nullable(), message: z.string() }))
        .optional()
        .openapi({ description: "Each mistake by its field, where the request has any." }),
    }),
  })
  .openapi("Error", {
    example: {
      error: {
        message: "`nmae` is not a known field; did you mean `name`?",
        type: "invalid_request_error",
        param: "nmae",
        code: "invalid_argument",
        problems: [{ param: "nmae", message: "`nmae` is not a known field; did you mean `name`?" }],
      },
    },
  });

export type ErrorBody = z.infer<typeof errorBodySchema>;

/** `problems` must hold at least one. */
export function problemsBody(problems: readonly Problem[]): ErrorBody {
  const message = problems.map((problem) => problem.message).join(" ");
  const { error } = createErrorBody("invalid_argument", message, problems[0]?.param ?? null);
  return { error: { ...error, problems: [...problems] } };
}
