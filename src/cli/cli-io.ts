/**
 * What the command line client touches of its process. Nothing else in cli/ reads `process`: a test hands in streams,
 * an environment and a clock of its own.
 */
import { fstatSync } from "node:fs";
import type { Readable, Writable } from "node:stream";
import { readProcessEnvironment, type Environment } from "../config/process-environment.ts";

export interface CliIo {
  readonly stdin: Readable;
  readonly stdout: Writable;
  readonly stderr: Writable;
  readonly env: Environment;
  readonly cwd: string;
  /** `v24.21.0` */
  readonly nodeVersion: string;
  nowMs(): number;
  /** Aborted when the process is asked to stop (Control-C, SIGTERM). Asking for it is what keeps the process from ending at once. */
  readonly stopped: AbortSignal;
  /** A person can be asked: input and error output are a terminal. */
  readonly isInteractive: boolean;
  /** What is written to standard output rests in a store of logs, as far as can be told. */
  readonly isOutputKept: boolean;
  /** Colour is wanted on standard output, on error output. */
  readonly hasColor: { readonly stdout: boolean; readonly stderr: boolean };
  /** Characters a line; null where the output is no terminal and may be as wide as it likes. */
  readonly columns: number | null;
}

/** The real one. */
export function processIo(): CliIo {
  const { stdin, stdout, stderr } = process;
  const env = readProcessEnvironment();
  const isColorful = (stream: NodeJS.WriteStream): boolean => stream.isTTY && allowsColor(env);
  let stopped: AbortSignal | undefined;
  return {
    stdin,
    stdout,
    stderr,
    env,
    cwd: process.cwd(),
    nodeVersion: process.version,
    nowMs: () => Date.now(),
    get stopped() {
      return (stopped ??= whenStopped());
    },
    isInteractive: stdin.isTTY && stderr.isTTY,
    isOutputKept: !stdout.isTTY && (process.pid === 1 || isJournal(env["JOURNAL_STREAM"])),
    hasColor: { stdout: isColorful(stdout), stderr: isColorful(stderr) },
    columns: stdout.isTTY ? stdout.columns : null,
  };
}

/**
 * Whether standard output is systemd's journal. Source: systemd.exec(5), `JOURNAL_STREAM`: device and inode of the stream; a process further
 * down inherits the variable and may write elsewhere. (Process 1 is what a container was started for: its output is the container's log.)
 */
function isJournal(stream: string | undefined): boolean {
  if (stream === undefined) return false;
  try {
    const { dev, ino } = fstatSync(1);
    return stream === `${dev}:${ino}`;
  } catch {
    return false; // It is closed: nothing is kept of what nobody hears.
  }
}

/** Sources: no-color.org, and the `dumb` terminal of terminfo. */
function allowsColor(env: Environment): boolean {
  return (env["NO_COLOR"] ?? "") === "" && env["TERM"] !== "dumb";
}

function whenStopped(): AbortSignal {
  const controller = new AbortController();
  const names = ["SIGINT", "SIGTERM"] as const;
  const stop = (): void => {
    // Once: a second one, whichever it is, ends the process whatever it is waiting for.
    for (const name of names) process.off(name, stop);
    controller.abort();
  };
  for (const name of names) process.on(name, stop);
  return controller.signal;
}
