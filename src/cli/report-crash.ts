import { writeSync } from "node:fs";
import { inspect } from "node:util";
import { scrubSecrets } from "../telemetry/scrub-secrets.ts";
import { EXIT_CODES } from "./cli-error.ts";

const STANDARD_ERROR = 2;

/** A fault of Keyward's, with its stack and its causes; whatever looks like a secret is taken out of them. */
export function describeFault(error: unknown): string {
  const text = error instanceof Error ? inspect(error) : String(error);
  return `a fault in Keyward; please report it\n${scrubSecrets(text)}`;
}

/**
 * Ends the process at an error that nobody caught, as Node does, but for the words: what Node prints is the whole error,
 * with a request's headers where the error has them.
 */
export function endAtUncaughtErrors(process: NodeJS.Process): void {
  process.once("uncaughtException", (error) => {
    // At once: what is written to a pipe in the ordinary way is lost with the process.
    writeSync(STANDARD_ERROR, `error: ${describeFault(error)}\n`);
    process.exit(EXIT_CODES.failed);
  });
}

/**
 * A promise that nothing is left to settle would end the process with a code of Node's and without a word. Returns what says that
 * the work is done.
 */
export function endAtUnfinishedWork(process: NodeJS.Process): () => void {
  const end = (): void => {
    const error = "the command ended before its work was done: something it waited for never came";
    writeSync(STANDARD_ERROR, `error: ${describeFault(error)}\n`);
    process.exit(EXIT_CODES.failed);
  };
  process.once("beforeExit", end);
  return () => {
    process.off("beforeExit", end);
  };
}
