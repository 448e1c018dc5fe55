import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { nearestName } from "../core/text/nearest-name.ts";
import {
  configSchema,
  listSettings,
  type Config,
  type ConfigKey,
  type Setting,
} from "./config-schema.ts";

export const CONFIG_FILE_NAME = "keyward.config.json";

export interface ConfigSources {
  /** The process environment. Only names that begin with `KEYWARD_` are looked at. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** What the command line named, by key; a key that is absent was not named. */
  readonly flags: Readonly<Record<string, string | boolean | undefined>>;
  /** The working directory: `keyward.config.json` is looked for here, `dataDir` is relative to it. */
  readonly cwd: string;
}

interface ConfigProblem {
  /** Where the wrong value stands: `--port`, `KEYWARD_PORT`, `port in keyward.config.json`. */
  readonly source: string;
  /** What was expected, what came, what to do. Never a secret. */
  readonly message: string;
}

export type LoadedConfig =
  | {
      readonly config: Config;
      /** Where each setting comes from: `--port`, `KEYWARD_PORT`, `keyward.config.json` or `default`. */
      readonly origins: Readonly<Record<ConfigKey, string>>;
    }
  | { readonly problems: readonly ConfigProblem[] };

const PREFIX = "KEYWARD_";

/** Variables of the command line client, which share the prefix and are no settings of a server. */
const CLIENT_VARIABLES = ["KEYWARD_URL"];

/**
 * Flags before environment variables before `keyward.config.json` before defaults. Reads that one file and nothing
 * else. All problems are reported together; the result is frozen.
 */
export function loadConfig({ env, flags, cwd }: ConfigSources): LoadedConfig {
  const settings = listSettings();
  const file = readConfigFile(join(cwd, CONFIG_FILE_NAME));
  const problems: ConfigProblem[] = [
    ...file.problems,
    ...unknownVariables(env, settings),
    ...unknownFileKeys(file.values, settings),
  ];
  const values: Record<string, unknown> = {};
  const origins: Record<string, string> = {};
  for (const setting of settings) {
    const found = findValue(setting, { env, flags, file: file.values });
    origins[setting.key] = found?.origin ?? "default";
    if (found === undefined) {
      values[setting.key] = setting.defaultValue;
      continue;
    }
    const checked = check(setting, found.value);
    if ("value" in checked) values[setting.key] = checked.value;
    else problems.push({ source: found.source, message: checked.message });
  }
  if (problems.length > 0) return { problems };
  const config = configSchema.parse(values);
  const halves = findHalves(config, settings);
  if (halves.length > 0) return { problems: halves };
  return {
    config: Object.freeze({ ...config, dataDir: resolve(cwd, config.dataDir) }),
    origins: Object.freeze(origins) as Record<ConfigKey, string>,
  };
}

/** Settings that mean nothing without another one. */
function findHalves(config: Config, settings: readonly Setting[]): ConfigProblem[] {
  const needs = [
    ["oidcIssuer", "oidcClientId"],
    ["oidcClientId", "oidcIssuer"],
    ["oidcClientSecret", "oidcIssuer"],
  ] as const;
  return needs
    .filter(([given, needed]) => config[given] !== null && config[needed] === null)
    .map(([given, needed]) => {
      const variable = settings.find(({ key }) => key === needed)?.variable ?? needed;
      return { source: given, message: `means nothing without ${needed} (${variable})` };
    });
}

interface FoundValue {
  readonly value: unknown;
  readonly origin: string;
  readonly source: string;
}

function findValue(
  setting: Setting,
  from: Omit<ConfigSources, "cwd"> & { readonly file: Readonly<Record<string, unknown>> },
): FoundValue | undefined {
  const { key, variable, flag } = setting;
  const flagValue = from.flags[key];
  if (flagValue !== undefined)
    return { value: parse(setting, flagValue), origin: flag, source: flag };
  const text = from.env[variable];
  // An empty variable is how many tools spell "not set".
  if (text !== undefined && text !== "") {
    return { value: parse(setting, text), origin: variable, source: variable };
  }
  if (!Object.hasOwn(from.file, key) || setting.isRefusedInFile) return undefined;
  return {
    value: from.file[key],
    origin: CONFIG_FILE_NAME,
    source: `${key} in ${CONFIG_FILE_NAME}`,
  };
}

/** A text as the setting's type; left as it is where it is not of that type, so that the schema refuses it. */
function parse({ type }: Setting, value: string | boolean): unknown {
  if (typeof value === "boolean") return value;
  if (type === "integer" && /^-?\d{1,15}$/.test(value)) return Number(value);
  if (type === "switch") return SWITCH_WORDS.get(value.toLowerCase()) ?? value;
  if (type === "list") return value.split(",").map((item) => item.trim());
  return value;
}

const SWITCH_WORDS: ReadonlyMap<string, boolean> = new Map([
  ["true", true],
  ["1", true],
  ["yes", true],
  ["false", false],
  ["0", false],
  ["no", false],
]);

function check(setting: Setting, value: unknown): { value: unknown } | { message: string } {
  const result = configSchema.shape[setting.key].safeParse(value);
  if (result.success) return { value: result.data };
  const [issue] = result.error.issues;
  const expected = ownMessage(issue?.message) ?? expectation(setting);
  const came = setting.isSecret ? "" : `; got ${JSON.stringify(value).slice(0, MAX_SHOWN)}`;
  return { message: `${expected}${came}` };
}

const MAX_SHOWN = 80;

/** A message of our schema, as against one of zod's own. */
function ownMessage(message: string | undefined): string | undefined {
  return message !== undefined && /^(expected|more than) /.test(message) ? message : undefined;
}

/** `expected a whole number from 1 to 65535` */
function expectation({ key, type, choices }: Setting): string {
  if (choices !== null) return `expected one of ${choices.join(", ")}`;
  if (type === "switch") return "expected true or false";
  if (type === "list") return "expected a list of texts";
  if (type === "text") return "expected a text that is not empty and not overlong";
  const { minimum, maximum } = settingBounds(key);
  return `expected a whole number from ${minimum} to ${maximum}`;
}

/** The least and the most that a number setting takes. */
export function settingBounds(key: ConfigKey): { minimum: number; maximum: number } {
  const schema = configSchema.shape[key].toJSONSchema();
  return { minimum: Number(schema.minimum), maximum: Number(schema.maximum) };
}

function unknownVariables(
  env: ConfigSources["env"],
  settings: readonly Setting[],
): ConfigProblem[] {
  const known = [...settings.map((setting) => setting.variable), ...CLIENT_VARIABLES];
  return Object.keys(env)
    .filter((name) => name.startsWith(PREFIX) && !known.includes(name))
    .toSorted()
    .map((name) => ({
      source: name,
      message: unknownMessage(name, "environment variable", known),
    }));
}

function unknownFileKeys(
  values: Readonly<Record<string, unknown>>,
  settings: readonly Setting[],
): ConfigProblem[] {
  const known = settings.filter((one) => !one.isRefusedInFile).map((one) => one.key);
  return Object.keys(values)
    .filter((name) => !(known as readonly string[]).includes(name))
    .map((name) => {
      const secret = settings.find((one) => one.key === name);
      const message =
        secret === undefined
          ? unknownMessage(name, "setting", known)
          : `a secret does not belong into a file that is easily committed; set ${secret.variable} instead`;
      return { source: `${name} in ${CONFIG_FILE_NAME}`, message };
    });
}

function unknownMessage(name: string, what: string, known: readonly string[]): string {
  // The prefix that all have in common would make them all alike.
  const prefix = name.startsWith(PREFIX) ? PREFIX : "";
  const rest = (full: string): string => full.slice(prefix.length);
  const nearest = nearestName(rest(name), known.map(rest));
  const advice = nearest === undefined ? "remove it" : `did you mean ${prefix}${nearest}?`;
  return `Keyward has no such ${what}; ${advice}`;
}

interface ConfigFile {
  readonly values: Readonly<Record<string, unknown>>;
  readonly problems: readonly ConfigProblem[];
}

const NO_FILE: ConfigFile = { values: {}, problems: [] };

function readConfigFile(path: string): ConfigFile {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return NO_FILE;
    return unreadable(`it cannot be read (${code}); mend its permissions or remove it`);
  }
  let values: unknown;
  try {
    values = JSON.parse(text);
  } catch (error) {
    // Only the place: the rest of the message repeats the file, and with it perhaps a secret.
    const place = /\(line \d+ column \d+\)/.exec(error instanceof Error ? error.message : "")?.[0];
    return unreadable(`expected JSON; it is malformed ${place ?? "near its end"}`);
  }
  if (typeof values !== "object" || values === null || Array.isArray(values)) {
    return unreadable('expected one JSON object, such as {"port": 4141}');
  }
  return { values: values as Record<string, unknown>, problems: [] };
}

function unreadable(message: string): ConfigFile {
  return { values: {}, problems: [{ source: CONFIG_FILE_NAME, message }] };
}
