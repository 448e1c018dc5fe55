import { asName, asObject } from "./fields.ts";
import type { JsonObject } from "./operation.ts";

/**
 * The code of an error that came with a status of success: as the whole body, as a chunk of a stream, or inside the
 * response that failed; null for what is no error. Sources: `ErrorObject`, `ResponseErrorEvent` and `ResponseFailedEvent`
 * of OpenAI's API, and the `error` event of Anthropic's.
 */
export function readAnswerError(data: JsonObject): string | null {
  const error = asObject(data["error"]) ?? asObject(asObject(data["response"])?.["error"]);
  if (error !== undefined) return nameOf(error);
  if (data["type"] === "error") return nameOf({ ...data, type: undefined });
  // Some servers have nothing but a message.
  return typeof data["error"] === "string" && data["error"] !== "" ? UNNAMED_ERROR : null;
}

const UNNAMED_ERROR = "error";

function nameOf(error: JsonObject): string {
  const { code } = error;
  if (typeof code === "number") return String(code);
  return asName(code) ?? asName(error["type"]) ?? UNNAMED_ERROR;
}
