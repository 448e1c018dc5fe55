import { ERROR_CODES, type ErrorDefinition } from "../../src/core/errors/codes.ts";
import { formatTable, GENERATED, type Page } from "./page.ts";

const INTRODUCTION = `# Errors

Every error that Keyward itself answers with has OpenAI's shape, so that the official clients raise it as the
exception they raise for OpenAI's own:

\`\`\`json
{
  "error": {
    "message": "what was expected, what came and what to do next",
    "type": "invalid_request_error",
    "param": null,
    "code": "invalid_api_key"
  }
}
\`\`\`

\`x-keyward-request-id\` names the call in the log. \`x-should-retry\` tells the clients whether the same call can
succeed a little later. What a provider answers, errors included, comes back unchanged and is not listed here.`;

export function errorsPage(): Page {
  const codes = Object.entries<ErrorDefinition>(ERROR_CODES);
  const table = formatTable(
    ["code", "status", "type", "retry", "what happened, and what to do"],
    codes.map(([code, definition]) => [
      `\`${code}\``,
      String(definition.status),
      `\`${definition.type}\``,
      definition.retryable ? "yes" : "no",
      definition.title,
    ]),
  );
  return { path: "docs/errors.md", text: `${GENERATED}\n\n${INTRODUCTION}\n\n${table}\n` };
}
