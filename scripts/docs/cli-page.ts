import {
  type ArgumentSpec,
  type Command,
  formatFlag,
  isSingleCommand,
  type OptionSpec,
} from "../../src/cli/command.ts";
import { GLOBAL_OPTIONS, globalNames } from "../../src/cli/global-options.ts";
import { type Noun, NOUNS } from "../../src/cli/nouns.ts";
import { formatTable, GENERATED, type Page } from "./page.ts";

const INTRODUCTION = `# Command line

\`keyward <noun> <verb> [options]\`. Commands that talk to the admin API do so in process on the data directory here, or
over HTTP with \`--url\` and a token: what they can do and what they print is the same.

- Data goes to standard output, everything else to error output. \`--json\` prints what the admin API answers.
- Exit codes: 0 = done, 1 = refused or failed, 2 = the command was wrong as typed.
- Points in time are typed as \`24h\`, \`7d\`, \`today\`, \`2026-01-31\` or \`2026-01-31T09:00:00Z\`; times are in UTC.
- No colour where the output is no terminal or \`NO_COLOR\` is set.
- \`keyward help <noun> <verb>\` prints what stands here.`;

/** docs/cli.md: every command, from the same definitions that the parser and the help are made of. */
export async function cliPage(): Promise<Page> {
  const sections = [GENERATED, INTRODUCTION, globalSection()];
  for (const group of new Set(NOUNS.map((noun) => noun.group))) {
    sections.push(`## ${group}`);
    for (const noun of NOUNS.filter((one) => one.group === group)) {
      sections.push(...(await describeNoun(noun)));
    }
  }
  return { path: "docs/cli.md", text: `${sections.join("\n\n")}\n` };
}

function globalSection(): string {
  return `## Global options\n\nBefore or after the command, where it heeds them.\n\n${optionTable(
    Object.entries<OptionSpec>(GLOBAL_OPTIONS),
  )}`;
}

async function describeNoun(noun: Noun): Promise<string[]> {
  const { name } = noun;
  const commands = await noun.load();
  if (isSingleCommand(commands)) return describeCommand(name, commands);
  return Object.entries(commands).flatMap(([verb, command]) =>
    describeCommand(`${name} ${verb}`, command),
  );
}

function describeCommand(words: string, command: Command): string[] {
  const { summary, details, examples } = command;
  const parts = [`### keyward ${words}`];
  parts.push(`${summary.charAt(0).toUpperCase()}${summary.slice(1)}.`);
  if (details !== undefined) parts.push(details);
  const positionals = Object.entries<ArgumentSpec>(command.arguments);
  if (positionals.length > 0) {
    const rows = positionals.map(([name, spec]) => [`\`${name}\``, withChoices(spec)]);
    parts.push(formatTable(["argument", ""], rows));
  }
  const options = Object.entries(command.options).filter(([, spec]) => spec.refusal === undefined);
  if (options.length > 0) parts.push(optionTable(options));
  const globals = globalNames(command).filter((name) => !(name in command.options));
  if (globals.length > 0) {
    const flags = globals.map((name) => `\`${formatFlag(name, {})}\``).join(", ");
    parts.push(`Global options: ${flags}.`);
  }
  parts.push(`\`\`\`sh\n${examples.join("\n")}\n\`\`\``);
  return parts;
}

function optionTable(options: readonly (readonly [string, OptionSpec])[]): string {
  return formatTable(
    ["option", ""],
    options.map(([name, spec]) => [`\`${formatFlag(name, spec)}\``, describeOption(spec)]),
  );
}

function describeOption(spec: OptionSpec): string {
  const notes = [
    spec.isRequired === true ? "required" : "",
    spec.isRepeatable === true ? "may be repeated" : "",
    spec.default === undefined ? "" : `default \`${spec.default}\``,
  ].filter((note) => note !== "" && !spec.description.includes(note));
  return notes.length === 0 ? withChoices(spec) : `${withChoices(spec)} (${notes.join(", ")})`;
}

function withChoices({ description, choices }: OptionSpec | ArgumentSpec): string {
  if (choices === undefined) return description;
  return `${description}: ${choices.map((choice) => `\`${choice}\``).join(", ")}`;
}
