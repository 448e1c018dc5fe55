import { pino, destination, type DestinationStream } from "pino";
import type { Log } from "../log.ts";
import { scrubSecrets } from "../scrub-secrets.ts";
import { CENSORED, redactFields } from "./redact-fields.ts";

type LogLevel = "debug" | "info" | "warn" | "error" | "silent";

export interface PinoLogOptions {
  readonly level: LogLevel;
  /** Where lines go; standard error by default, so that standard output stays for data. */
  readonly stream?: DestinationStream;
  /** Fields of every line: which of several processes writes it. */
  readonly fields?: Readonly<Record<string, string | number>>;
  /** Texts that are taken out wherever they stand, whatever they look like: the secrets of the settings. */
  readonly secrets?: readonly string[];
}

const STANDARD_ERROR = 2;
/** Anything shorter would take out what is no secret. */
const MIN_SECRET_CHARACTERS = 8;

/**
 * One JSON object a line, times in ISO 8601. Secrets are kept out in two ways: fields by their names, and then, in the
 * whole line as it is written, what looks like a secret or is one of `secrets`.
 */
export function createPinoLog({ level, stream, fields, secrets = [] }: PinoLogOptions): Log {
  const known = secrets
    .filter((secret) => secret.length >= MIN_SECRET_CHARACTERS)
    // As it stands in a line of JSON.
    .map((secret) => JSON.stringify(secret).slice(1, -1));
  const censor = (line: string): string => {
    let text = line;
    for (const secret of known) text = text.replaceAll(secret, CENSORED);
    return scrubSecrets(text);
  };
  return pino(
    {
      level,
      base: fields ?? null,
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }), log: redactFields },
      serializers: { err: (value: unknown) => value },
      hooks: { streamWrite: censor },
    },
    stream ?? destination({ dest: STANDARD_ERROR, sync: true }),
  );
}
