import { readRetryAfterMs } from "../wire/http/retry-after.ts";
import type { HeaderFields } from "./http/header-fields.ts";

/** How long an answer asks its provider to be left alone; undefined where it does not say. */
export function toldWaitMs(headers: HeaderFields, nowMs: number): number | undefined {
  const told = {
    "retry-after-ms": headers.get("retry-after-ms"),
    "retry-after": headers.get("retry-after"),
  };
  return readRetryAfterMs(told, nowMs);
}
