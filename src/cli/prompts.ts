import { createInterface } from "node:readline/promises";
import { Writable } from "node:stream";
import { CliError } from "./cli-error.ts";
import type { CliIo } from "./cli-io.ts";
import { printable } from "./printable.ts";

type PromptIo = Pick<CliIo, "stdin" | "stderr" | "isInteractive">;

/** One line from the terminal that is not shown while it is typed. The caller has made sure of a terminal. */
export async function askSecret(io: PromptIo, question: string): Promise<string> {
  io.stderr.write(printable(question));
  // The line editor echoes what is typed to its output: this one swallows it.
  const silence = new Writable({ write: (_chunk, _encoding, done) => done() });
  try {
    return await ask(io, "", silence);
  } finally {
    // The line end that was typed, if any, was swallowed as well.
    io.stderr.write("\n");
  }
}

/** True for `y` and `yes`. Without a terminal to ask at it is refused, with `how` to agree beforehand. */
export async function confirm(io: PromptIo, question: string, how: string): Promise<boolean> {
  if (!io.isInteractive) {
    throw new CliError("this needs to be confirmed, and there is no terminal to ask at", {
      advice: how,
    });
  }
  const answer = await ask(io, `${printable(question)} [y/N] `, io.stderr);
  return /^y(es)?$/i.test(answer.trim());
}

/** Goes on when it was agreed to: beforehand (`isAgreed`) or at the terminal. Throws CliError when not. */
export async function agree(
  { io, isAgreed }: { readonly io: PromptIo; readonly isAgreed: boolean },
  question: string,
  how = "add --yes",
): Promise<void> {
  if (isAgreed || (await confirm(io, question, how))) return;
  throw new CliError("not confirmed; nothing was changed");
}

async function ask({ stdin }: PromptIo, question: string, output: Writable): Promise<string> {
  const lines = createInterface({ input: stdin, output, terminal: true, historySize: 0 });
  const gone = new AbortController();
  // Control-C and the end of the input (Control-D).
  lines.once("SIGINT", () => gone.abort());
  lines.once("close", () => gone.abort());
  try {
    return await lines.question(question, { signal: gone.signal });
  } catch (cause) {
    if (!gone.signal.aborted) throw cause;
    throw new CliError("cancelled; nothing was changed", { cause });
  } finally {
    lines.close();
  }
}
