import type { CliIo } from "./cli-io.ts";
import { NOUNS } from "./nouns.ts";
import { readVersion } from "./version.ts";

/** Runs one command line (without the program's name). Resolves when it is done; throws what main.ts reports. */
export async function runCli(argv: readonly string[], io: CliIo): Promise<void> {
  const [first, ...rest] = argv;
  if (first === "complete") {
    const { printCompletions } = await import("./complete.ts");
    return printCompletions(NOUNS, rest, io);
  }
  if (argv.length === 1 && (first === "--version" || first === "-v")) {
    io.stdout.write(`${readVersion()}\n`);
    return;
  }
  // Loaded here: completion and version are asked for without a parser, and are to be quick.
  const { buildProgram } = await import("./build-program.ts");
  const program = buildProgram({
    nouns: NOUNS,
    version: readVersion(),
    io,
    async onCommand({ noun, command, options, arguments: words, globals }) {
      const { CommandSession } = await import("./command-session.ts");
      const session = new CommandSession(io, globals);
      try {
        await command.run({ ...session.context, options, arguments: words });
      } catch (error) {
        // Only to add what the API cannot know: how its parameters are typed here.
        const { explainRefusal } = await import("./explain-refusal.ts");
        const commands = await NOUNS.find(({ name }) => name === noun)?.load();
        const hasList = commands !== undefined && "list" in commands;
        throw explainRefusal(error, { noun, command, options, hasList }) ?? error;
      } finally {
        await session.close();
      }
    },
  });
  if (argv.length === 0) return program.outputHelp();
  // `keyward help keys create` is `keyward keys create --help`.
  const line = first === "help" ? [...rest, "--help"] : argv;
  await program.parseAsync([...line], { from: "user" });
}
