import { setTimeout as delay } from "node:timers/promises";
import type { components } from "../../admin/api-types.ts";
import { expectData, type AdminAnswer } from "../../admin/client.ts";
import { counted } from "../../core/text/counted.ts";
import { CliError } from "../cli-error.ts";
import { readLines } from "./read-lines.ts";

type LiveItem = components["schemas"]["LiveItem"];

/** What the server tells of calls, and what the client has to add: that it could not listen for a while. */
export type TailItem =
  | Exclude<LiveItem, { kind: "idle" }>
  | {
      readonly kind: "gap";
      /** Of the last that was heard before it, and of the first after it, by the servers' clocks. */
      readonly from: string;
      readonly to: string;
      /** Whether another process answers now. */
      readonly isOtherProcess: boolean;
    };

export interface FollowOptions {
  /** Asks for the stream. */
  readonly open: (signal: AbortSignal) => Promise<AdminAnswer<unknown>>;
  readonly stopped: AbortSignal;
  /** Told once each time the server has gone away. */
  readonly onLost: (reason: string) => void;
  readonly pace?: FollowPace;
}

interface FollowPace {
  /** A connection on which nothing comes for so long is dead: the server would have said that all is well. */
  readonly silenceMs: number;
  readonly firstRetryMs: number;
  readonly lastRetryMs: number;
}

const DEFAULT_PACE: FollowPace = { silenceMs: 30_000, firstRetryMs: 250, lastRetryMs: 5_000 };

/**
 * Calls as the server tells them, until `stopped`. Throws when the first connection fails, and whenever the server
 * answers that it will not; a server that goes away is waited for.
 */
export async function* followLive(options: FollowOptions): AsyncGenerator<TailItem> {
  const { stopped, onLost, pace = DEFAULT_PACE } = options;
  const heard: Heard = { opened: undefined, untilMs: 0 };
  let retryMs = pace.firstRetryMs;
  let isLost = false;
  while (!stopped.aborted) {
    try {
      for await (const item of listen(options, pace)) {
        if (item.kind === "opened") {
          isLost = false;
          retryMs = pace.firstRetryMs;
        }
        const told = note(heard, item);
        if (told !== undefined) yield told;
      }
    } catch (error) {
      if (stopped.aborted) return;
      if (heard.opened === undefined || !isPassing(error)) throw error;
      if (!isLost) onLost(error instanceof Error ? error.message : String(error));
      isLost = true;
    }
    await delay(retryMs, undefined, { signal: stopped }).catch(() => undefined);
    retryMs = Math.min(retryMs * 2, pace.lastRetryMs);
  }
}

/** How far it has listened. */
interface Heard {
  opened: Opened | undefined;
  untilMs: number;
}

type Opened = Extract<LiveItem, { kind: "opened" }>;

/** Keeps the item's time, and gives what there is to tell of it: of a connection that is not the first, the gap. */
function note(heard: Heard, item: LiveItem): TailItem | undefined {
  const { opened, untilMs } = heard;
  heard.untilMs = endOf(item) ?? untilMs;
  if (item.kind === "idle") return undefined;
  if (item.kind !== "opened") return item;
  heard.opened = item;
  if (opened === undefined) return item;
  const isOtherProcess = opened.serverStartedAt !== item.serverStartedAt;
  return { kind: "gap", from: new Date(untilMs).toISOString(), to: item.time, isOtherProcess };
}

function endOf(item: LiveItem): number | undefined {
  if (item.kind === "dropped") return undefined;
  if (item.kind === "opened" || item.kind === "idle") return Date.parse(item.time);
  const { startedAt, durationMs } = item.kind === "call" ? item.call : item.refusal;
  return Date.parse(startedAt) + durationMs;
}

/** One connection, from its first item to its end; the end is an error, since the server has none in mind. */
async function* listen(
  { open, stopped }: FollowOptions,
  { silenceMs }: FollowPace,
): AsyncGenerator<LiveItem> {
  const silence = new AbortController();
  const timer = setTimeout(() => silence.abort(), silenceMs);
  try {
    const answer = await open(AbortSignal.any([stopped, silence.signal]));
    const stream = expectData(answer) as AsyncIterable<Uint8Array>;
    for await (const line of brokenOff(readLines(stream, () => timer.refresh()))) {
      yield JSON.parse(line) as LiveItem;
    }
  } catch (cause) {
    // Recovered from by asking anew; said in words, since the abort alone says nothing.
    if (!silence.signal.aborted) throw cause;
    throw new CliError(`nothing came from the server for ${counted(silenceMs / 1000, "second")}`, {
      cause,
    });
  } finally {
    clearTimeout(timer);
  }
  throw new CliError("the server has ended the stream");
}

/** In words for people, whatever the network has to say. */
async function* brokenOff(lines: AsyncGenerator<string>): AsyncGenerator<string> {
  try {
    yield* lines;
  } catch (cause) {
    throw new CliError("the connection has broken", { cause });
  }
}

/** Whether the same can succeed later: nobody answered, or the server said that it can't just now. */
function isPassing(error: unknown): boolean {
  const status = error instanceof Error && "status" in error ? error.status : undefined;
  return typeof status !== "number" || status >= 500 || status === 429;
}
