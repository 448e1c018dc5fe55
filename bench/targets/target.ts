/** What is compared: a program that forwards `POST /v1/chat/completions` to the upstream. One file a target. */
import type { ChildProcess } from "node:child_process";

export interface TargetContext {
  readonly upstreamPort: number;
  /** An empty directory of the target's own. */
  readonly directory: string;
  /** Where packages that are not the project's are installed. */
  readonly rivalsDirectory: string;
  /** Starts a program on the core that targets are measured on. */
  readonly spawn: (
    command: string,
    args: readonly string[],
    options?: { readonly cwd?: string; readonly env?: Readonly<Record<string, string>> },
  ) => ChildProcess;
}

export interface RunningTarget {
  readonly port: number;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** The process whose tree is measured. */
  readonly pid: number;
  /** From the start of the process to its first answer. */
  readonly readyMs: number;
  /** Called after the load; throws when the target did not do its work. */
  readonly verify?: (responses: number) => Promise<void>;
}

export interface Target {
  readonly name: string;
  readonly title: string;
  /** Another project's: what it answers wrongly is told of, and left out. Ours, or the floor's, ends the run. */
  readonly isRival?: boolean;
  /** Why it can't run here, or undefined. Installs what it needs. */
  prepare(context: Pick<TargetContext, "rivalsDirectory">): Promise<string | undefined>;
  start(context: TargetContext): Promise<RunningTarget>;
}
