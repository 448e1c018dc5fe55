/** The command line client in this process: a process of its own for each command would take seconds. */
import { PassThrough } from "node:stream";
import type { CliIo } from "../../src/cli/cli-io.ts";
import { reportFailure } from "../../src/cli/report-failure.ts";
import { runCli } from "../../src/cli/run-cli.ts";

export interface CliRun {
  /** Null after a signal. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CliRunOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** What stands on standard input, or is typed when `isInteractive`. */
  readonly stdin?: string;
  readonly isInteractive?: boolean;
  readonly stopped?: AbortSignal;
  /** This machine's clock, unless a test has one of its own. */
  readonly nowMs?: () => number;
}

/** One command in a directory, whatever is in it. */
export async function runCliHere(
  cwd: string,
  argv: readonly string[],
  { env = {}, stdin, isInteractive = false, stopped, nowMs = Date.now }: CliRunOptions,
): Promise<CliRun> {
  const input = new PassThrough();
  input.end(stdin);
  const [stdout, stderr] = [collect(), collect()];
  const io: CliIo = {
    stdin: input,
    stdout: stdout.stream,
    stderr: stderr.stream,
    env,
    cwd,
    nodeVersion: process.version,
    nowMs,
    stopped: stopped ?? new AbortController().signal,
    isInteractive,
    isOutputKept: false,
    hasColor: { stdout: false, stderr: false },
    columns: null,
  };
  let code = 0;
  try {
    await runCli(argv, io);
  } catch (error) {
    code = reportFailure(error, io);
  }
  return { code, stdout: stdout.text(), stderr: stderr.text() };
}

function collect(): { stream: PassThrough; text: () => string } {
  const pieces: Buffer[] = [];
  const stream = new PassThrough();
  stream.on("data", (piece: Buffer) => pieces.push(piece));
  return { stream, text: () => Buffer.concat(pieces).toString("utf8") };
}
