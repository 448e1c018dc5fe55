import { styleText } from "node:util";
import { CommanderError } from "commander";
import type { AdminApiError } from "../admin/client.ts";
import type { StartError } from "../runtime/start-error.ts";
import { CliError, EXIT_CODES } from "./cli-error.ts";
import type { CliIo } from "./cli-io.ts";
import { printable } from "./printable.ts";
import { describeFault } from "./report-crash.ts";

/**
 * Says on error output why a command ended, and what to do next, and gives the exit code. Whatever is not foreseen is
 * shown with its stack: it is a fault of Keyward, and the stack is what helps to mend it.
 */
export function reportFailure(error: unknown, io: Pick<CliIo, "stderr" | "hasColor">): number {
  const say = (label: string, color: "red" | "dim", text: string): void => {
    const styled = io.hasColor.stderr ? styleText(color, label, { validateStream: false }) : label;
    io.stderr.write(`${styled} ${text}\n`);
  };
  if (error instanceof CommanderError) {
    // The parser has said it. Help and version end in an "error" too.
    return error.exitCode === 0 ? EXIT_CODES.ok : EXIT_CODES.usage;
  }
  if (error instanceof CliError) {
    say("error:", "red", error.message);
    if (error.advice !== undefined) say("next:", "dim", error.advice);
    return error.exitCode;
  }
  if (isStartError(error)) {
    say("error:", "red", error.message);
    say("next:", "dim", error.remedy);
    return EXIT_CODES.failed;
  }
  if (isAdminApiError(error)) {
    // A server's words, and in them perhaps a customer's.
    say("error:", "red", printable(error.message));
    const advice = ADVICE_BY_CODE[error.code];
    if (advice !== undefined) say("next:", "dim", advice);
    if (error.status >= 500 && error.requestId !== null) {
      say("next:", "dim", `look for ${error.requestId} in the server's log`);
    }
    return EXIT_CODES.failed;
  }
  say("error:", "red", describeFault(error));
  return EXIT_CODES.failed;
}

function isStartError(error: unknown): error is StartError {
  return error instanceof Error && error.name === "StartError";
}

/** By name: to load its class, and the HTTP client with it, is not worth it for a command that asked nobody. */
function isAdminApiError(error: unknown): error is AdminApiError {
  return error instanceof Error && error.name === "AdminApiError";
}

const ADVICE_BY_CODE: Readonly<Record<string, string>> = {
  invalid_admin_token:
    "set KEYWARD_ADMIN_TOKEN to the server's admin token; `keyward admin-token rotate` on its machine makes a new one",
};
