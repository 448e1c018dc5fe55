import { CliError } from "./cli-error.ts";
import type { OptionSpec } from "./command.ts";
import { given } from "./given.ts";
import { parseWhen } from "./parse-when.ts";

/** What a gateway key may do. */
export const PERMISSION_OPTIONS = {
  model: {
    value: "model",
    description: "a model that it may call, else all; may be repeated",
    isRepeatable: true,
    param: "allowedModels",
  },
  endpoint: {
    value: "path",
    description:
      "an endpoint that it may call, as chat/completions or @text, else all; may be repeated",
    isRepeatable: true,
    param: "allowedEndpoints",
  },
  ip: {
    value: "network",
    description: "from where it may be used, as 10.1.0.0/16, else everywhere; may be repeated",
    isRepeatable: true,
    param: "allowedIps",
  },
} as const satisfies Record<string, OptionSpec>;

/** Takes a limit away. */
export const ANY = "any";

/** Undefined where nothing was typed, null for `any`. */
export function listGiven(values: readonly string[], flag: string): string[] | null | undefined {
  if (values.length === 0) return undefined;
  if (!values.includes(ANY)) return [...values];
  if (values.length === 1) return null;
  throw new CliError(`${flag} takes names, or \`any\` alone`, { isUsage: true });
}

export function permissionsOf(options: {
  readonly model: readonly string[];
  readonly endpoint: readonly string[];
  readonly ip: readonly string[];
}) {
  return given({
    allowedModels: listGiven(options.model, "--model"),
    allowedEndpoints: listGiven(options.endpoint, "--endpoint"),
    allowedIps: listGiven(options.ip, "--ip"),
  });
}

/** As ISO 8601. */
export function parseExpiry(text: string, nowMs: number): string {
  return parseWhen(text, { nowMs, flag: "--expires", direction: "ahead" });
}
