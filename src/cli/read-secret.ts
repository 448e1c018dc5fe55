import { CliError } from "./cli-error.ts";
import type { CliIo } from "./cli-io.ts";
import type { OptionSpec } from "./command.ts";
import { askSecret } from "./prompts.ts";

/** How a command takes a secret. `secret` is there to be refused with a reason. */
export const SECRET_OPTIONS = {
  secretStdin: { description: "read the secret from standard input", param: "secret" },
  secretEnv: {
    value: "NAME",
    description: "read the secret from this environment variable",
    param: "secret",
  },
  secret: {
    value: "secret",
    description: "not taken",
    refusal: {
      message:
        "a secret is not taken from the command line: every user of this machine can read it there",
      advice:
        "type it at the prompt, or use --secret-stdin or --secret-env NAME; replace the one you typed, it may be in your shell's history",
    },
  },
} as const satisfies Record<string, OptionSpec>;

export interface SecretOptions {
  readonly secretStdin: boolean;
  readonly secretEnv: string | undefined;
}

/** No secret is longer; what is, is the wrong file. */
const MAX_SECRET_BYTES = 16 * 1024;

/** The secret, without white space around it, from the one place that was named, or from a prompt that shows nothing. */
export async function readSecret(
  io: CliIo,
  options: SecretOptions,
  question: string,
): Promise<string> {
  if (options.secretStdin && options.secretEnv !== undefined) {
    throw new CliError("--secret-stdin and --secret-env name two different places", {
      isUsage: true,
    });
  }
  const secret = (await read(io, options, question)).trim();
  if (secret === "") throw new CliError("the secret is empty; nothing was changed");
  return secret;
}

async function read(io: CliIo, options: SecretOptions, question: string): Promise<string> {
  if (options.secretEnv !== undefined) return readVariable(io, options.secretEnv);
  if (options.secretStdin) return readAll(io);
  if (!io.isInteractive) {
    throw new CliError("there is no terminal to ask for the secret at", {
      isUsage: true,
      advice: "use --secret-stdin or --secret-env NAME",
    });
  }
  return askSecret(io, question);
}

/** Capitals and few, as no provider's secret is. */
const VARIABLE_NAME = /^[A-Z][A-Z_]{0,39}$/;

function readVariable(io: CliIo, name: string): string {
  const value = io.env[name];
  if (value !== undefined) return value;
  // What was typed may be the secret itself, by mistake: only what can be nothing but a name is repeated.
  if (VARIABLE_NAME.test(name)) throw new CliError(`the environment variable ${name} is not set`);
  throw new CliError("--secret-env takes the name of an environment variable; there is none of it");
}

async function readAll({ stdin }: CliIo): Promise<string> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of stdin) {
    const chunk = Buffer.from(piece as Uint8Array);
    bytes += chunk.length;
    if (bytes > MAX_SECRET_BYTES) {
      throw new CliError(
        `standard input holds more than ${MAX_SECRET_BYTES} bytes: no secret does`,
      );
    }
    pieces.push(chunk);
  }
  return Buffer.concat(pieces).toString("utf8");
}
