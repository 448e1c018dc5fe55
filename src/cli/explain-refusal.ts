import type { AdminApiError } from "../admin/client.ts";
import { CliError } from "./cli-error.ts";
import { formatFlag, type Command } from "./command.ts";
import { formatDuration } from "./parse-duration.ts";
import { printable } from "./printable.ts";

interface Typed {
  readonly noun: string;
  readonly command: Command;
  readonly options: Readonly<Record<string, unknown>>;
  readonly hasList: boolean;
}

/**
 * What the admin API refused, in the words of the command that was typed: its parameters by their flags, its units as
 * people type them, and where to look up an id or a name that is not there. Undefined for anything but a refusal of the
 * request itself.
 */
export function explainRefusal(error: unknown, typed: Typed): CliError | undefined {
  if (!isRefusal(error)) return undefined;
  // A server's words, and in them perhaps a customer's.
  const said = printable(nameFlags(error.message, namesOf(typed)));
  const [, message = said, command] = SEE.exec(said) ?? [];
  return new CliError(message, {
    ...(command === undefined ? adviceOn(error, typed) : { advice: command }),
    cause: error,
  });
}

/** By name: to load its class, and the HTTP client with it, is not worth it for a command that asked nobody. */
function isRefusal(error: unknown): error is AdminApiError {
  if (!(error instanceof Error) || error.name !== "AdminApiError") return false;
  return REFUSALS.has((error as AdminApiError).status);
}

const REFUSALS: ReadonlySet<number> = new Set([400, 404, 409]);

/** What to do next stands at the end, as a command. */
const SEE = /^(.+) See `(keyward [^`]+)`\.$/s;
/** A parameter that can be nothing but one: no value of ours is written so. */
const COMPOUND = /`([a-z]+[A-Z][A-Za-z]*|[a-z]\w*(?:\.\w+)+)`/g;
/** A parameter that a sentence is about; elsewhere the same word may be a value. */
const SUBJECT = /(?<=^|[.;?] |than |needs |ask for |has no |has no setting )`([a-z]\w*)`/gi;
/** Settings of a rule that are listed, by their own names. */
const SETTINGS = /(?<=settings are |, )`(\w+)`/g;
const BOUND = /(?<=`(\w+)` must be at (?:least|most) )(\d+)/g;

interface OptionName {
  /** `--overlap` */
  readonly text: string;
  readonly unit: "seconds" | undefined;
}

/** The options by the API's names for them. Of several that say the same, the one that was typed. */
function namesOf({ command, options }: Typed): ReadonlyMap<string, OptionName> {
  const taken = Object.entries(command.options).filter(([, { refusal }]) => refusal === undefined);
  const byParam = Map.groupBy(taken, ([name, { param = name }]) => param);
  const names = new Map<string, OptionName>();
  for (const [param, ways] of byParam) {
    const [name, { unit }] = ways.find(([one]) => isTyped(options[one])) ?? ways[0] ?? [param, {}];
    // It may have been typed at a prompt.
    const isElsewhere = ways.length > 1 && !isTyped(options[name]);
    names.set(param, { text: isElsewhere ? `the ${param}` : formatFlag(name, {}), unit });
  }
  return names;
}

function isTyped(value: unknown): boolean {
  return value !== undefined && value !== false && !(Array.isArray(value) && value.length === 0);
}

function nameFlags(message: string, names: ReadonlyMap<string, OptionName>): string {
  const nameFlag = (text: string, param: string): string => {
    // `allowedModels.0` is an entry of a list.
    const named =
      names.get(param) ?? names.get(param.replace(/\.\d+$/, "")) ?? names.get(`settings.${param}`);
    return named?.text ?? text;
  };
  const isList = message.includes("settings are ");
  const named = message
    .replaceAll(BOUND, (bound, param: string) =>
      names.get(param)?.unit === "seconds" ? formatDuration(Number(bound)) : bound,
    )
    .replaceAll(COMPOUND, nameFlag)
    .replaceAll(SUBJECT, nameFlag);
  return isList ? named.replaceAll(SETTINGS, nameFlag) : named;
}

function adviceOn(
  { message, param, status }: AdminApiError,
  { noun, hasList }: Typed,
): { advice?: string } {
  if (message.includes("`keyward ") || param === null) return {};
  const isOwn = param === "id" || param === "name";
  // What is in conflict with something else is not helped by a list of that.
  const isAboutName =
    status === 404 || message.startsWith("There is no ") || (isOwn && status === 409);
  if (!isAboutName) return {};
  const listed = isOwn ? (hasList ? noun : undefined) : NOUN_OF_PARAM[param];
  return listed === undefined ? {} : { advice: `keyward ${listed} list` };
}

const NOUN_OF_PARAM: Readonly<Record<string, string>> = {
  environment: "environments",
  project: "projects",
  customer: "customers",
  externalId: "customers",
  accountId: "provider-accounts",
  secret: "provider-keys",
  key: "keys",
};
