import type { CliIo } from "./cli-io.ts";
import { formatFlag, isSingleCommand, type Command, type OptionSpec } from "./command.ts";
import { GLOBAL_OPTIONS, globalNames } from "./global-options.ts";
import type { Noun } from "./nouns.ts";

interface Completion {
  readonly value: string;
  readonly description: string;
}

/** What the shells' scripts call: `keyward complete -- <words up to the cursor>`; one completion a line. */
export async function printCompletions(
  nouns: readonly Noun[],
  argv: readonly string[],
  io: Pick<CliIo, "stdout">,
): Promise<void> {
  const words = argv[0] === "--" ? argv.slice(1) : argv;
  for (const { value, description } of await complete(nouns, words)) {
    io.stdout.write(`${value}\t${description}\n`);
  }
}

/** The words that can stand where the last of `words` (which may be empty) is being typed. */
export async function complete(
  nouns: readonly Noun[],
  words: readonly string[],
): Promise<readonly Completion[]> {
  const current = words.at(-1) ?? "";
  const line = await readLine(nouns, words.slice(0, -1));
  if (line === undefined) return [];
  const all = line.pending === undefined ? nextWords(line, nouns, current) : choices(line.pending);
  return all.filter(({ value }) => value.startsWith(current));
}

type Options = Readonly<Record<string, OptionSpec>>;

interface Line {
  readonly commands: Readonly<Record<string, Command>> | undefined;
  readonly command: Command | undefined;
  /** Words of the command that are no options. */
  readonly positionals: number;
  /** Options that were typed already, as flags. */
  readonly used: ReadonlySet<string>;
  /** The option whose value comes next. */
  readonly pending: OptionSpec | undefined;
  readonly options: ReadonlyMap<string, OptionSpec>;
}

/** What the words before the cursor say; undefined when no command line begins so. */
async function readLine(
  nouns: readonly Noun[],
  words: readonly string[],
): Promise<Line | undefined> {
  let commands: Readonly<Record<string, Command>> | undefined;
  let command: Command | undefined;
  let positionals = 0;
  let pending: OptionSpec | undefined;
  let options = byFlag(GLOBAL_OPTIONS);
  const used = new Set<string>();
  for (const word of words) {
    if (pending !== undefined) {
      pending = undefined;
    } else if (word.startsWith("-")) {
      const [flag = "", value] = word.split("=", 2);
      used.add(flag);
      const spec = options.get(flag);
      pending = spec?.value === undefined || value !== undefined ? undefined : spec;
    } else if (command !== undefined) {
      positionals += 1;
    } else if (commands !== undefined) {
      command = Object.hasOwn(commands, word) ? commands[word] : undefined;
      if (command === undefined) return undefined;
      options = optionsOf(command);
    } else {
      const loaded = await nouns.find(({ name }) => name === word)?.load();
      if (loaded === undefined) return undefined;
      if (isSingleCommand(loaded)) command = loaded;
      else commands = loaded;
      if (command !== undefined) options = optionsOf(command);
    }
  }
  return { commands, command, positionals, used, pending, options };
}

function nextWords(line: Line, nouns: readonly Noun[], current: string): readonly Completion[] {
  if (current.startsWith("-")) return flags(line);
  if (line.command !== undefined) {
    const argument = Object.values(line.command.arguments)[line.positionals];
    return argument === undefined ? [] : choices(argument);
  }
  if (line.commands !== undefined) {
    return Object.entries(line.commands).map(([verb, { summary }]) => ({
      value: verb,
      description: summary,
    }));
  }
  return nouns.map(({ name, summary }) => ({ value: name, description: summary }));
}

function flags({ options, used }: Line): readonly Completion[] {
  return [...options]
    .filter(([flag, spec]) => spec.refusal === undefined && (spec.isRepeatable || !used.has(flag)))
    .map(([flag, { description }]) => ({ value: flag, description }));
}

function choices(spec: { choices?: readonly string[]; description: string }): Completion[] {
  return (spec.choices ?? []).map((value) => ({ value, description: spec.description }));
}

function optionsOf(command: Command): ReadonlyMap<string, OptionSpec> {
  const globals = globalNames(command).map((name) => [name, GLOBAL_OPTIONS[name]] as const);
  const help = { help: { description: "print help" } };
  return byFlag({ ...Object.fromEntries(globals), ...command.options, ...help });
}

function byFlag(options: Options): ReadonlyMap<string, OptionSpec> {
  return new Map(
    Object.entries(options).map(([name, spec]) => [formatFlag(name, {}), spec] as const),
  );
}
