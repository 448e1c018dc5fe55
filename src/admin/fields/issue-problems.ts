import type { z } from "@hono/zod-openapi";
import type { Problem } from "../answers/error-body.ts";
import { UNKNOWN_NAME_SEPARATOR } from "./closed-object.ts";
import { quoteInput } from "./quote-input.ts";

type Issue = z.core.$ZodIssue;

/** More mistakes than anybody reads; the rest is counted. */
const MAX_PROBLEMS = 20;

/**
 * Zod's findings as sentences for people, in the order of the fields. A message of our own schemas is a predicate
 * (`must be …`); no sentence repeats a value that came, since any field may hold a secret in the wrong place.
 */
export function problemsOf(error: z.core.$ZodError): Problem[] {
  const problems = error.issues.flatMap(problemsOfIssue);
  if (problems.length <= MAX_PROBLEMS) return problems;
  const rest = problems.length - MAX_PROBLEMS;
  return [
    ...problems.slice(0, MAX_PROBLEMS),
    { param: null, message: `${rest} more are not listed.` },
  ];
}

function problemsOfIssue(issue: Issue): Problem[] {
  if (issue.code === "unrecognized_keys") {
    const sentences = issue.message.split(UNKNOWN_NAME_SEPARATOR);
    return issue.keys.map((name, index) => ({
      param: paramOf([...issue.path, name]),
      message: sentences[index] ?? issue.message,
    }));
  }
  const param = issue.path.length === 0 ? null : paramOf(issue.path);
  const subject = param === null ? "The request" : quoteInput(param);
  return [{ param, message: `${subject} ${predicateOf(issue)}.` }];
}

function paramOf(path: readonly PropertyKey[]): string {
  return path.map(String).join(".").slice(0, 200);
}

function predicateOf(issue: Issue): string {
  if (issue.message.startsWith("must ")) return issue.message;
  if (issue.code === "invalid_type") return typePredicate(issue);
  if (issue.code === "too_small") {
    return `must ${sizeOf(issue.origin, "at least", issue.minimum)}`;
  }
  if (issue.code === "too_big") return `must ${sizeOf(issue.origin, "at most", issue.maximum)}`;
  if (issue.code === "invalid_value") {
    return `must be one of ${issue.values.map((value) => `\`${String(value)}\``).join(", ")}`;
  }
  return `is not valid: ${issue.message}`;
}

/** Zod does not keep what came in the issue, only in its message: `…, received undefined`. */
function typePredicate(issue: Extract<Issue, { code: "invalid_type" }>): string {
  const received = /received (\w+)$/.exec(issue.message)?.[1];
  if (received === "undefined") return "is required";
  // As a query parameter that is given twice comes.
  if (received === "array" && issue.expected === "string") return "must be a single string";
  const expected = /^[aeio]/.test(issue.expected) ? `an ${issue.expected}` : `a ${issue.expected}`;
  return received === undefined
    ? `must be ${expected}`
    : `must be ${expected}, and came as ${received}`;
}

function sizeOf(origin: string, bound: string, size: number | bigint): string {
  const units = SIZE_UNITS[origin];
  if (units === undefined) return `be ${bound} ${size}`;
  return `have ${bound} ${size} ${Number(size) === 1 ? units.one : units.many}`;
}

const SIZE_UNITS: Readonly<Record<string, { readonly one: string; readonly many: string }>> = {
  string: { one: "character", many: "characters" },
  array: { one: "entry", many: "entries" },
};
