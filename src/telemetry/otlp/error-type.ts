import type { CallReport } from "../call-observer.ts";

/**
 * `error.type`, of a few words only: the provider's status, what happened to the connection, or that the answer itself
 * was an error. Undefined where the call did not fail; a client that leaves is no failure of it.
 * Source: OpenTelemetry semantic conventions, "Recording errors".
 */
export function errorTypeOf({
  event,
  ending,
}: Pick<CallReport, "event" | "ending">): string | undefined {
  const { status, httpStatus } = event;
  if (ending === "client-gone") return undefined;
  if (ending !== "whole" && ending !== "dropped") return ending;
  if (httpStatus !== null && httpStatus >= 400) return String(httpStatus);
  return status === "succeeded" ? undefined : "provider_error";
}
