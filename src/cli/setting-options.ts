import { unescape } from "node:querystring";
import { listSettings, type Config, type Setting } from "../config/config-schema.ts";
import type { OptionSpec } from "./command.ts";
import { GLOBAL_OPTIONS } from "./global-options.ts";

const VALUE_WORDS: Readonly<Record<string, string>> = {
  host: "address",
  port: "port",
  databaseUrl: "url",
  rootKey: "key",
  adminToken: "token",
  allowedPrivateHosts: "hosts",
  trustedProxies: "networks",
  clientAddressHeader: "header",
  metricsToken: "token",
  otlpEndpoint: "url",
  otlpHeaders: "headers",
  durability: "word",
  logLevel: "level",
};

/** What a switch does when it is turned off. */
const NEGATIONS: Readonly<Record<string, string>> = {
  import: "Leave an `OPENAI_API_KEY` that the first start finds where it is",
};

/** Every setting of the server as an option; those that are global options already are left to them. */
export function settingOptions(): Readonly<Record<string, OptionSpec>> {
  return Object.fromEntries(
    listSettings()
      .filter(({ key }) => !(key in GLOBAL_OPTIONS))
      .map((setting) => [optionName(setting), optionSpec(setting)]),
  );
}

function optionName(setting: Setting): string {
  const { key } = setting;
  return isNegated(setting) ? `no${key.charAt(0).toUpperCase()}${key.slice(1)}` : key;
}

/** A switch that is on by default is only ever turned off. */
function isNegated({ type, defaultValue }: Setting): boolean {
  return type === "switch" && defaultValue === true;
}

function optionSpec(setting: Setting): OptionSpec {
  const { type, choices, description, key, variable, isSecret } = setting;
  if (isNegated(setting)) return { description: NEGATIONS[key] ?? `turns off: ${description}` };
  if (type === "switch") return { description: description.replace(/\.$/, "") };
  const secrecy = isSecret ? ` Better as ${variable}: others can read flags.` : "";
  return {
    value: type === "integer" ? unitOf(key) : (VALUE_WORDS[key] ?? "text"),
    description: `${description}${secrecy}`.replace(/\.$/, ""),
    ...(choices === null ? {} : { choices }),
  };
}

function unitOf(key: string): string {
  if (key.endsWith("Ms")) return "ms";
  if (key.endsWith("Bytes")) return "bytes";
  return VALUE_WORDS[key] ?? "count";
}

/** What was typed, as `loadConfig` takes it. */
export function flagsOf(
  options: Readonly<Record<string, unknown>>,
): Readonly<Record<string, string | boolean | undefined>> {
  const flags: Record<string, string | boolean | undefined> = {};
  for (const setting of listSettings()) {
    const value = options[optionName(setting)];
    if (isNegated(setting)) flags[setting.key] = value === true ? false : undefined;
    else if (setting.type === "switch") flags[setting.key] = value === true ? true : undefined;
    else if (typeof value === "string") flags[setting.key] = value;
  }
  return flags;
}

/** The values of settings that no log may show, and the password of the database by itself. */
export function secretsOf(config: Config): readonly string[] {
  const values = listSettings()
    .filter(({ isSecret }) => isSecret)
    .flatMap(({ key }) => {
      const value = config[key];
      return typeof value === "string" ? [value] : [];
    });
  const { databaseUrl } = config;
  const password = databaseUrl === null ? "" : (URL.parse(databaseUrl)?.password ?? "");
  return password === "" ? values : [...values, password, unescape(password)];
}
