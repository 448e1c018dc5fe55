import type { Context, TypedResponse } from "hono";
import { ERROR_CODES, type ErrorCode } from "../../core/errors/codes.ts";
import { createErrorBody } from "../../wire/openai/error-body.ts";
import { type ErrorBody, errorBodySchema, type Problem, problemsBody } from "./error-body.ts";

type StatusOf<Code extends ErrorCode> = (typeof ERROR_CODES)[Code]["status"];
export type Refusal<Code extends ErrorCode> = Response &
  TypedResponse<ErrorBody, StatusOf<Code>, "json">;

/** The answer to a caller whose request is refused. Expected outcomes come here; faults are thrown. */
export function refuse<Code extends ErrorCode>(
  context: Context,
  code: Code,
  message: string,
  param: string | null = null,
): Refusal<Code> {
  context.set("refusedWith", code);
  return context.json(createErrorBody(code, message, param), statusOf(code)) as Refusal<Code>;
}

/** 400 with everything that is wrong, at once. */
export function refuseProblems(
  context: Context,
  problems: readonly Problem[],
): Refusal<"invalid_argument"> {
  return context.json(problemsBody(problems), statusOf("invalid_argument"));
}

interface ErrorAnswer {
  readonly description: string;
  readonly content: { readonly "application/json": { readonly schema: typeof errorBodySchema } };
}
export type ErrorAnswers<Code extends ErrorCode> = {
  [Each in Code as StatusOf<Each>]: ErrorAnswer;
};

/** What every route may answer with. */
const COMMON_CODES = [
  "invalid_argument",
  "invalid_admin_token",
  "origin_not_allowed",
  "permission_denied",
  "internal_error",
  "store_unavailable",
] as const satisfies readonly ErrorCode[];
type CommonCode = (typeof COMMON_CODES)[number];

/** What a route that reads a body may answer with besides. */
export const BODY_CODES = [
  "invalid_json",
  "request_too_large",
  "unsupported_content_type",
] as const satisfies readonly ErrorCode[];

/** The `responses` of a route definition for the given codes and for those of every route. */
export function errorAnswers<const Code extends ErrorCode>(
  ...codes: readonly Code[]
): ErrorAnswers<Code | CommonCode> {
  const byStatus: Record<number, ErrorAnswer> = {};
  for (const code of new Set<ErrorCode>([...codes, ...COMMON_CODES])) {
    const { status, title } = ERROR_CODES[code];
    const before = byStatus[status]?.description;
    const description = `\`${code}\`: ${title}`;
    byStatus[status] = {
      description: before === undefined ? description : `${before}\n\n${description}`,
      content: { "application/json": { schema: errorBodySchema } },
    };
  }
  return byStatus;
}

function statusOf<Code extends ErrorCode>(code: Code): StatusOf<Code> {
  return ERROR_CODES[code].status;
}
