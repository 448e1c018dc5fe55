/**
 * What a command is: data that the parser, the help, the completion and docs/cli.md are made of, and a function that
 * does the work. A command throws CliError or AdminApiError for what it cannot do; only main.ts catches.
 */
import type { AdminClient } from "../admin/client.ts";
import type { Config } from "../config/config-schema.ts";
import type { CliIo } from "./cli-io.ts";
import type { Output } from "./output.ts";

export interface OptionSpec {
  readonly description: string;
  /** What stands for the value in the help; a switch has none. */
  readonly value?: string;
  /** The words it takes. */
  readonly choices?: readonly string[];
  readonly default?: string;
  /** The admin API's name for it, where that is another: errors name the flag instead. */
  readonly param?: string;
  /** The admin API's unit for it, where people type spans of time. */
  readonly unit?: "seconds";
  readonly isRequired?: true;
  readonly isRepeatable?: true;
  /** Known to the parser only, in order to say why it is not taken. */
  readonly refusal?: { readonly message: string; readonly advice: string };
}

export interface ArgumentSpec {
  readonly description: string;
  readonly choices?: readonly string[];
  readonly isOptional?: true;
}

type OptionValue<Spec> = Spec extends { readonly value: string }
  ? Spec extends { readonly isRepeatable: true }
    ? readonly string[]
    : Spec extends { readonly isRequired: true } | { readonly default: string }
      ? string
      : string | undefined
  : boolean;

type ArgumentValue<Spec> = Spec extends { readonly isOptional: true } ? string | undefined : string;

/** Options and arguments by their names in camelCase: `expiresAt` is typed as `--expires-at`. */
type OptionSpecs = Readonly<Record<string, OptionSpec>>;
type ArgumentSpecs = Readonly<Record<string, ArgumentSpec>>;

/** `admin`: talks to the admin API, here or elsewhere. `local`: needs the data directory itself. `none`: neither. */
export type Reach = "admin" | "local" | "none";

/**
 * `prices`: only the price book is asked for, which is there without a data directory. `server`: what only a server
 * that runs can tell; without a URL, the one of the settings here. `public`: what anybody may ask for, so that no token is sent.
 */
export type AdminScope = "all" | "prices" | "server" | "public";

export interface GlobalOptions {
  readonly url: string | undefined;
  readonly token: string | undefined;
  readonly dataDir: string | undefined;
  readonly json: boolean;
}

export interface CommandContext<Options = unknown, Arguments = unknown> {
  readonly options: Options;
  readonly arguments: Arguments;
  readonly globals: GlobalOptions;
  readonly io: CliIo;
  readonly output: Output;
  /** The admin API: of `--url`, or in process on the data directory. Opened once, closed after the command. */
  readonly admin: (scope?: AdminScope) => Promise<AdminClient>;
  /** The settings of the server that is or would be started here. Throws CliError with everything that is wrong. */
  readonly config: (
    flags?: Readonly<Record<string, string | boolean | undefined>>,
  ) => Promise<Config>;
}

interface CommandText {
  readonly summary: string;
  /** More than a line, where there is more to say. */
  readonly details?: string;
  /** Each is typed as it stands. */
  readonly examples: readonly string[];
  readonly reach: Reach;
  /** Whether `--json` makes sense. */
  readonly printsData: boolean;
}

interface CommandDefinition<
  Options extends OptionSpecs,
  Arguments extends ArgumentSpecs,
> extends CommandText {
  readonly options?: Options;
  readonly arguments?: Arguments;
  run(
    context: CommandContext<
      { readonly [Name in keyof Options]: OptionValue<Options[Name]> },
      { readonly [Name in keyof Arguments]: ArgumentValue<Arguments[Name]> }
    >,
  ): Promise<void>;
}

export interface Command extends CommandText {
  readonly options: OptionSpecs;
  readonly arguments: ArgumentSpecs;
  run(context: CommandContext): Promise<void>;
}

/** Gives `run` the types of the options and arguments that it declares. */
export function defineCommand<
  const Options extends OptionSpecs = Record<string, never>,
  const Arguments extends ArgumentSpecs = Record<string, never>,
>(definition: CommandDefinition<Options, Arguments>): Command {
  return {
    ...definition,
    options: definition.options ?? {},
    arguments: definition.arguments ?? {},
    // The parser builds exactly what the specs describe; `build-program.test.ts` holds it to that.
    run: (context) => definition.run(context as Parameters<typeof definition.run>[0]),
  };
}

/** The commands of a noun by verb, or the one command of a noun that is a verb itself (`status`). */
export type NounCommands = Command | Readonly<Record<string, Command>>;

export function isSingleCommand(commands: NounCommands): commands is Command {
  return typeof commands["run"] === "function";
}

/** `--expires-at <time>`, `--yes` */
export function formatFlag(name: string, spec: Pick<OptionSpec, "value">): string {
  const flag = `--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
  return spec.value === undefined ? flag : `${flag} <${spec.value}>`;
}
