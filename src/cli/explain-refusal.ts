import type { AdminApiError } from "../admin/client.ts";
import { CliError } from "./cli-error.ts";
import { formatFlag, type Command } from "./command.ts";
import { printable } from "./printable.ts";

/**
 * What the admin API refused, in the words of the command that was typed: its parameters by their flags, and where to
 * look up an id or a name that is not there. Undefined for anything but a refusal of the request itself.
 */
export function explainRefusal(
  error: unknown,
  typed: { readonly noun: string; readonly command: Command; readonly hasList: boolean },
): CliError | undefined {
  if (!isRefusal(error)) return undefined;
  // A server's words, and in them perhaps a customer's.
  const message = printable(nameFlags(error.message, typed.command));
  return new CliError(message, {
    ...adviceOn(error, typed.hasList ? typed.noun : undefined),
    cause: error,
  });
}

/** By name: to load its class, and the HTTP client with it, is not worth it for a command that asked nobody. */
function isRefusal(error: unknown): error is AdminApiError {
  if (!(error instanceof Error) || error.name !== "AdminApiError") return false;
  return REFUSALS.has((error as AdminApiError).status);
}

const REFUSALS: ReadonlySet<number> = new Set([400, 404, 409]);

/** A parameter that a sentence is about; elsewhere the same word may be a value. */
const SUBJECT = /(^|[.;?] |than |needs |has no |has no setting )`([a-z]\w*(?:\.\w+)*)`/gi;
/** Settings of a rule that are listed, by their own names. */
const SETTINGS = /(settings are |, )`(\w+)`/g;

function nameFlags(message: string, { options }: Command): string {
  const flags = new Map<string, string>();
  for (const [name, spec] of Object.entries(options)) {
    flags.set(spec.param ?? name, formatFlag(name, {}));
  }
  const nameFlag = (text: string, before: string, param: string): string => {
    // `allowedModels.0` is an entry of a list.
    const flag =
      flags.get(param) ?? flags.get(param.replace(/\.\d+$/, "")) ?? flags.get(`settings.${param}`);
    return flag === undefined ? text : `${before}${flag}`;
  };
  const named = message.replaceAll(SUBJECT, nameFlag);
  return named.includes("settings are ") ? named.replaceAll(SETTINGS, nameFlag) : named;
}

function adviceOn(
  { message, param, status }: AdminApiError,
  noun: string | undefined,
): { advice?: string } {
  if (message.includes("`keyward ")) return {};
  const isAboutName = status !== 400 || message.startsWith("There is no ");
  if (!isAboutName || param === null) return {};
  const listed = param === "id" || param === "name" ? noun : NOUN_OF_PARAM[param];
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
