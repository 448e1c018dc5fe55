import { styleText } from "node:util";
import { Argument, Command as Parser, Option, type OptionValues } from "commander";
import { CliError } from "./cli-error.ts";
import type { CliIo } from "./cli-io.ts";
import {
  formatFlag,
  isSingleCommand,
  type Command,
  type GlobalOptions,
  type NounCommands,
  type OptionSpec,
} from "./command.ts";
import { GLOBAL_OPTIONS, globalNames } from "./global-options.ts";
import type { Noun } from "./nouns.ts";

/** What was typed, for a command's `run`. */
export interface ParsedCommand {
  readonly noun: string;
  readonly command: Command;
  readonly options: Readonly<Record<string, unknown>>;
  readonly arguments: Readonly<Record<string, string | undefined>>;
  readonly globals: GlobalOptions;
}

export interface ProgramParts {
  readonly nouns: readonly Noun[];
  readonly version: string;
  readonly io: Pick<CliIo, "stdout" | "stderr" | "hasColor" | "columns">;
  readonly onCommand: (parsed: ParsedCommand) => Promise<void>;
}

/** The parser of the whole command line. A noun's commands are loaded and added when the noun is met. */
export function buildProgram({ nouns, version, io, onCommand }: ProgramParts): Parser {
  const program = new Parser("keyward")
    .description("Keyward: a gateway and key manager for OpenAI-compatible APIs")
    .version(version, "-v, --version", "print the version")
    .helpOption("-h, --help", "print help")
    .helpCommand(false)
    .usage("<noun> <verb> [options]")
    .exitOverride()
    .showHelpAfterError(SEE_HELP("keyward"))
    .configureHelp({ showGlobalOptions: false })
    .configureOutput({
      writeOut: (text) => void io.stdout.write(text),
      writeErr: (text) => void io.stderr.write(text),
      outputError: (text, write) => write(formatUsageError(text, io)),
      getOutHelpWidth: () => io.columns ?? 100,
      getErrHelpWidth: () => io.columns ?? 100,
      getOutHasColors: () => io.hasColor.stdout,
      getErrHasColors: () => io.hasColor.stderr,
    })
    .addHelpText("after", PROGRAM_EXAMPLES);
  for (const [name, spec] of Object.entries<OptionSpec>(GLOBAL_OPTIONS)) {
    program.addOption(createOption(name, spec));
  }
  for (const { name, summary, group } of nouns) {
    program
      .command(name)
      .summary(summary)
      .description(capitalize(summary))
      .helpGroup(`${group}:`)
      .showHelpAfterError(SEE_HELP(`keyward ${name}`));
  }
  program.hook("preSubcommand", async (_, parser) => {
    const noun = nouns.find((one) => one.name === parser.name());
    if (noun !== undefined) addCommands(parser, await noun.load(), onCommand);
  });
  return program;
}

const PROGRAM_EXAMPLES = `
Examples:
  $ keyward start
  $ keyward keys create --environment development --name my-laptop
  $ keyward usage summary --by customer,model --from 7d

\`keyward <noun> --help\` lists the noun's verbs.`;

/** A word of advice below the parser's error. */
const SEE_HELP = (path: string): string => `next: \`${path} --help\``;

/** The parser's message in our form, without the words that were too many: one may be a secret. */
function formatUsageError(text: string, { hasColor }: Pick<CliIo, "hasColor">): string {
  const plain = text.replace(/^error: /, "").replace(/^(too many arguments.*?): .*$/s, "$1\n");
  const label = hasColor.stderr ? styleText("red", "error:", { validateStream: false }) : "error:";
  return `${label} ${plain}`;
}

/** `--env` is a beginning, not a misspelling: the parser by itself does not think of `--environment`. */
function suggestLonger(text: string, parser: Parser): string {
  const typed = /^error: unknown option '(--\w[\w-]*)'\n?$/.exec(text)?.[1];
  if (typed === undefined) return text;
  const longer = parser
    .createHelp()
    .visibleOptions(parser)
    .flatMap(({ long }) => (long?.startsWith(typed) === true ? [long] : []));
  return longer.length === 1 ? `${text.trimEnd()}\n(Did you mean ${longer.join("")}?)\n` : text;
}

function addCommands(
  parser: Parser,
  commands: NounCommands,
  onCommand: ProgramParts["onCommand"],
): void {
  if (isSingleCommand(commands)) {
    fillCommand(parser, { noun: parser.name(), command: commands }, onCommand);
    return;
  }
  parser.usage("<verb> [options]").helpCommand(false);
  for (const [verb, command] of Object.entries(commands)) {
    const child = parser
      .command(verb)
      .showHelpAfterError(SEE_HELP(`keyward ${parser.name()} ${verb}`));
    fillCommand(child, { noun: parser.name(), command }, onCommand);
  }
}

function fillCommand(
  parser: Parser,
  { noun, command }: Pick<ParsedCommand, "noun" | "command">,
  onCommand: ProgramParts["onCommand"],
): void {
  parser.summary(command.summary).description(describe(command));
  for (const [name, spec] of Object.entries(command.arguments)) {
    const brackets = spec.isOptional === true ? `[${name}]` : `<${name}>`;
    const argument = new Argument(brackets, spec.description);
    parser.addArgument(spec.choices === undefined ? argument : argument.choices(spec.choices));
  }
  for (const [name, spec] of Object.entries(command.options)) {
    parser.addOption(createOption(name, spec));
  }
  // For the help: the program itself has taken their values already.
  for (const name of globalNames(command)) {
    if (!(name in command.options)) parser.addOption(createOption(name, GLOBAL_OPTIONS[name]));
  }
  const inherited = parser.configureOutput();
  parser.configureOutput({
    outputError: (text, write) => inherited.outputError?.(suggestLonger(text, parser), write),
  });
  const examples = command.examples.map((example) => `  $ ${example}`).join("\n");
  parser.addHelpText("after", `\nExamples:\n${examples}`);
  parser.action(async () => {
    const values = parser.optsWithGlobals<OptionValues>();
    const globals = readGlobals(values);
    refuseIdleGlobals(command, globals);
    refuseOptions(command, values);
    await onCommand({ noun, command, globals, ...readValues(parser, command, values) });
  });
}

function describe({ summary, details }: Command): string {
  return details === undefined ? capitalize(summary) : `${capitalize(summary)}\n\n${details}`;
}

function capitalize(summary: string): string {
  return `${summary.charAt(0).toUpperCase()}${summary.slice(1)}.`;
}

function createOption(name: string, spec: OptionSpec): Option {
  // Whether it is there is checked with the rest, so that a mistyped option is called one, and not a missing one.
  const description =
    spec.isRequired === true ? `${spec.description} (required)` : spec.description;
  const option = new Option(formatFlag(name, spec), description);
  if (spec.choices !== undefined) option.choices(spec.choices);
  if (spec.default !== undefined) option.default(spec.default);
  if (spec.refusal !== undefined) option.hideHelp();
  if (spec.isRepeatable === true) {
    option.argParser((value, earlier: readonly string[] | undefined) => [
      ...(earlier ?? []),
      value,
    ]);
  }
  return option;
}

function readValues(
  parser: Parser,
  command: Command,
  values: OptionValues,
): Pick<ParsedCommand, "options" | "arguments"> {
  const options = Object.entries(command.options).map(([name, spec]) => [
    name,
    optionValue(name, spec, values),
  ]);
  const names = Object.keys(command.arguments);
  return {
    options: Object.fromEntries(options) as Record<string, unknown>,
    arguments: Object.fromEntries(names.map((name, index) => [name, parser.args[index]])),
  };
}

function optionValue(name: string, spec: OptionSpec, values: OptionValues): unknown {
  if (spec.value !== undefined) {
    return (values[name] as unknown) ?? (spec.isRepeatable === true ? [] : undefined);
  }
  // The parser reads `--no-import` as "import: false".
  const positive = /^no([A-Z].*)$/.exec(name)?.[1];
  if (positive === undefined) return values[name] === true;
  return values[positive.charAt(0).toLowerCase() + positive.slice(1)] === false;
}

function readGlobals(values: OptionValues): GlobalOptions {
  const text = (name: string): string | undefined => values[name] as string | undefined;
  return {
    url: text("url"),
    token: text("token"),
    dataDir: text("dataDir"),
    json: values["json"] === true,
  };
}

/** Options that are not taken, and all those that are missing. */
function refuseOptions(command: Command, values: OptionValues): void {
  const specs = Object.entries(command.options);
  for (const [name, { refusal }] of specs) {
    if (refusal === undefined || values[name] === undefined) continue;
    throw new CliError(refusal.message, { isUsage: true, advice: refusal.advice });
  }
  const missing = specs
    .filter(([name, spec]) => spec.isRequired === true && values[name] === undefined)
    .map(([name, spec]) => formatFlag(name, spec));
  if (missing.length === 0) return;
  const [example = ""] = command.examples;
  throw new CliError(`missing: ${missing.join(", ")}`, { isUsage: true, advice: example });
}

/** A global option that the command does not heed was typed for a reason: it is not passed over. */
function refuseIdleGlobals(command: Command, globals: GlobalOptions): void {
  const heeded: readonly string[] = globalNames(command);
  for (const [name, spec] of Object.entries<OptionSpec>(GLOBAL_OPTIONS)) {
    const value = globals[name as keyof GlobalOptions];
    if (value === undefined || value === false) continue;
    if (heeded.includes(name) || name in command.options) continue;
    const [flag = ""] = formatFlag(name, spec).split(" ");
    throw new CliError(`this command does not take ${flag}`, {
      isUsage: true,
      advice: command.reach === "local" ? "run it on the server's machine" : "leave it out",
    });
  }
}
