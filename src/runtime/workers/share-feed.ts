import type { FeedItem, SharedFeed } from "../../telemetry/call-feed.ts";
import type { SupervisorLink } from "./worker-messages.ts";

/** So long calls are gathered, so that a message is sent for many of them. */
const GATHER_MS = 50;
/** Calls that wait to be sent; later ones are dropped, and counted. */
const MAX_WAITING = 1_000;

/** Makes the live feed of a worker one with those of its siblings, while somebody reads one of them. */
export function shareFeed(
  feed: Pick<SharedFeed, "onReading" | "forwardTo" | "take">,
  link: SupervisorLink,
): void {
  const outbox = new Outbox(link);
  feed.onReading((isReading) => link.send({ type: "reading", isReading }));
  link.onMessage((message) => {
    if (message.type === "forward") {
      feed.forwardTo(message.isWanted ? (item) => outbox.add(item) : undefined);
    } else if (message.type === "live") {
      for (const item of message.items) feed.take(item);
    }
  });
}

class Outbox {
  readonly #link: SupervisorLink;
  #waiting: FeedItem[] = [];
  #dropped = 0;
  #isSending = false;

  constructor(link: SupervisorLink) {
    this.#link = link;
  }

  add(item: FeedItem): void {
    if (this.#waiting.length < MAX_WAITING) this.#waiting.push(withoutHold(item));
    else this.#dropped += 1;
    if (this.#isSending) return;
    this.#isSending = true;
    setTimeout(() => this.#send(), GATHER_MS);
  }

  /** The next message goes when this one is written: what the supervisor does not take does not pile up. */
  #send(): void {
    const items = this.#waiting;
    if (this.#dropped > 0) items.push({ kind: "dropped", count: this.#dropped });
    this.#waiting = [];
    this.#dropped = 0;
    this.#link.send({ type: "live", items }, () => {
      this.#isSending = this.#waiting.length > 0;
      if (this.#isSending) setTimeout(() => this.#send(), GATHER_MS);
    });
  }
}

/** What is held for a call is its own process's business. */
function withoutHold(item: FeedItem): FeedItem {
  if (item.kind !== "call") return item;
  const { report } = item;
  return { kind: "call", report: { ...report, event: { ...report.event, hold: undefined } } };
}
