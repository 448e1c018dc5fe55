/** Exit codes of the client, and no others. */
export const EXIT_CODES = { ok: 0, failed: 1, usage: 2 } as const;

export interface CliErrorOptions {
  /** The command was wrong as typed, as against refused or failed. */
  readonly isUsage?: boolean;
  /** What to do next: a sentence, or a command to type. */
  readonly advice?: string;
  readonly cause?: unknown;
}

/** A command that could not do what it was asked, in words for the person who typed it. Never holds a secret. */
export class CliError extends Error {
  readonly exitCode: number;
  readonly advice: string | undefined;

  constructor(message: string, { isUsage = false, advice, cause }: CliErrorOptions = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = "CliError";
    this.exitCode = isUsage ? EXIT_CODES.usage : EXIT_CODES.failed;
    this.advice = advice;
  }
}
