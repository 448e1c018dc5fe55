import type { components } from "../admin/api-types.ts";
import { formatOptional, formatOptionalTime, formatTime } from "./format-cells.ts";
import type { Output } from "./output.ts";

type Key = components["schemas"]["Key"];

/** A gateway key, a fact a line. */
export function printKey(key: Key, output: Output): void {
  output.facts([
    ["name", `${key.name} (${key.preview})`],
    ["status", key.status],
    ["id", key.id],
    ["environment", formatOptional(key.environment)],
    ["project", formatOptional(key.project)],
    ["customer", formatOptional(key.customer)],
    ["models", listOr(key.allowedModels, "all")],
    ["endpoints", listOr(key.allowedEndpoints, "all")],
    ["addresses", listOr(key.allowedIps, "everywhere")],
    ["for browsers", key.isForBrowsers ? "yes" : "no"],
    ["created", formatTime(key.createdAt)],
    ["expires", formatOptionalTime(key.expiresAt)],
    ["revoked", formatOptionalTime(key.revokedAt)],
    ["last used", key.lastUsedAt === null ? "never" : formatTime(key.lastUsedAt)],
    ...key.oldSecrets.map(
      ({ preview, validUntil }) =>
        ["old secret", `${preview} is accepted until ${formatTime(validUntil)}`] as const,
    ),
  ]);
}

function listOr(names: readonly string[] | null, all: string): string {
  return names === null ? all : names.join(", ");
}
