import type { Dialect } from "../../../wire/dialect.ts";
import type { Refusal } from "../endpoint.ts";

/** Anthropic names an error's type by its status. Source: "Errors" of Anthropic's API documentation. */
const ANTHROPIC_TYPES: ReadonlyMap<number, string> = new Map([
  [400, "invalid_request_error"],
  [401, "authentication_error"],
  [402, "billing_error"],
  [403, "permission_error"],
  [404, "not_found_error"],
  [413, "request_too_large"],
  [429, "rate_limit_error"],
  [504, "timeout_error"],
  [529, "overloaded_error"],
]);

/** An error as the body of a reply. */
export function errorBody(
  refusal: Refusal,
  dialect: Dialect,
): { readonly contentType: string; readonly body: string } {
  switch (refusal.bodyForm) {
    case "empty":
      return { contentType: "text/plain", body: "" };
    case "html": {
      const title = `${refusal.status} from the simulator`;
      const body = `<html>\n<head><title>${title}</title></head>\n<body><h1>${title}</h1></body>\n</html>\n`;
      return { contentType: "text/html", body };
    }
    case "json":
    default:
      return {
        contentType: "application/json",
        body: JSON.stringify(errorObject(refusal, dialect)),
      };
  }
}

/** An error as JSON, for a body or an event. */
export function errorObject(refusal: Refusal, dialect: Dialect): object {
  const { message, type, param, code, status } = refusal;
  if (dialect === "openai") return { error: { message, type, param, code } };
  const named = ANTHROPIC_TYPES.get(status);
  const usual = status < 500 ? "invalid_request_error" : "api_error";
  return { type: "error", error: { type: named ?? usual, message } };
}
