import { pino, destination, type DestinationStream } from "pino";
import type { Log } from "../log.ts";

type LogLevel = "debug" | "info" | "warn" | "error" | "silent";

export interface PinoLogOptions {
  readonly level: LogLevel;
  /** Where lines go; standard error by default, so that standard output stays for data. */
  readonly stream?: DestinationStream;
}

/** Fields that could only hold a secret or somebody's words: whatever is logged under these names is taken out. */
const REDACTED_PATHS = [
  "authorization",
  "headers",
  "*.headers",
  "secret",
  "*.secret",
  "body",
  "*.body",
  "err.detail.body",
];

const STANDARD_ERROR = 2;

/** One JSON object a line, times in ISO 8601. */
export function createPinoLog({ level, stream }: PinoLogOptions): Log {
  return pino(
    {
      level,
      base: null,
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: REDACTED_PATHS, censor: "[redacted]" },
    },
    stream ?? destination({ dest: STANDARD_ERROR, sync: true }),
  );
}
