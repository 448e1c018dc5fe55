import type { components } from "../admin/api-types.ts";
import { formatOptional, formatOptionalTime, formatTime } from "./format-cells.ts";

type Key = components["schemas"]["Key"];

/** A gateway key, a fact a line. */
export function describeKey(key: Key): readonly string[] {
  return [
    `${key.name} (${key.preview})  ${key.status}`,
    fact("id", key.id),
    fact("environment", formatOptional(key.environment)),
    fact("project", formatOptional(key.project)),
    fact("customer", formatOptional(key.customer)),
    fact("models", listOr(key.allowedModels, "all")),
    fact("endpoints", listOr(key.allowedEndpoints, "all")),
    fact("addresses", listOr(key.allowedIps, "everywhere")),
    fact("for browsers", key.isForBrowsers ? "yes" : "no"),
    fact("created", formatTime(key.createdAt)),
    fact("expires", formatOptionalTime(key.expiresAt)),
    fact("revoked", formatOptionalTime(key.revokedAt)),
    fact("last used", key.lastUsedAt === null ? "never" : formatTime(key.lastUsedAt)),
    ...key.oldSecrets.map(({ preview, validUntil }) =>
      fact("old secret", `${preview} is accepted until ${formatTime(validUntil)}`),
    ),
  ];
}

function fact(name: string, value: string): string {
  return `${name.padEnd(14)}${value}`;
}

function listOr(names: readonly string[] | null, all: string): string {
  return names === null ? all : names.join(", ");
}
