import type { EnvironmentId, GatewayKeyId, ProjectId } from "../core/ids/ids.ts";
import { EVENT_STATUSES } from "../core/usage/usage-event.ts";
import type { CallReport, RefusalReport } from "./call-observer.ts";

/** How a call ended, or that Keyward answered it by itself. */
export const LIVE_STATUSES = [...EVENT_STATUSES, "refused"] as const;
type LiveStatus = (typeof LIVE_STATUSES)[number];

/** What to look for; what is undefined does not matter. A refusal of a stranger has no environment, project or key. */
export interface FeedFilter {
  readonly environmentId?: EnvironmentId | undefined;
  readonly projectId?: ProjectId | undefined;
  readonly gatewayKeyId?: GatewayKeyId | undefined;
  readonly customer?: string | undefined;
  readonly feature?: string | undefined;
  /** The model that served, or the requested one where none did. */
  readonly model?: string | undefined;
  readonly status?: LiveStatus | undefined;
  /** Whatever did not succeed, refusals among them. */
  readonly isProblem?: true | undefined;
}

export type FeedItem =
  | { readonly kind: "call"; readonly report: CallReport }
  | { readonly kind: "refusal"; readonly report: RefusalReport }
  /** The reader was too slow: so many came between the item before and the next one, and are gone. */
  | { readonly kind: "dropped"; readonly count: number };

export interface FeedReader {
  /** How many items `next` has at hand. */
  readonly waiting: number;
  /** The next item; `idle` when none came in that time; `closed` after `close`, or when the feed itself has ended. */
  next(timeoutMs: number): Promise<FeedItem | "idle" | "closed">;
  close(): void;
}

/** Calls as they end: of this process, and of those that it shares its feed with. Keeps nothing: a reader gets what comes after it has subscribed. */
export interface CallFeed {
  /** Undefined when there are as many readers as there may be. */
  subscribe(filter: FeedFilter): FeedReader | undefined;
}

/** The feed of one process among several that tell each other of their calls. */
export interface SharedFeed extends CallFeed {
  /** Calls back when the first reader comes, and when the last one has gone. */
  onReading(listener: (isReading: boolean) => void): void;
  /** Where calls of this process go as well, while somebody elsewhere reads; undefined = nowhere. */
  forwardTo(sink: ((item: FeedItem) => void) | undefined): void;
  /** Something of another process, for the readers of this one. */
  take(item: FeedItem): void;
}
