import type { components } from "../admin/api-types.ts";
import { formatOptionalTime, formatTime } from "./format-cells.ts";

/** A provider key's health in a table's cell; it is known only where a server runs, over HTTP. */
export function formatHealth(health: components["schemas"]["ProviderKeyHealth"] | null): string {
  if (health === null) return "–";
  const [rest] = health.rests;
  if (health.circuit === "open") return `failing until ${formatOptionalTime(health.openUntil)}`;
  if (rest !== undefined) {
    const what = rest.model === null || rest.model === "" ? rest.owner : rest.model;
    return `${rest.reason}: ${what} rests until ${formatTime(rest.until)}`;
  }
  return health.circuit === "half-open" ? "about to be tried again" : "well";
}
