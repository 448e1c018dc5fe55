import { describe, expect, it } from "vitest";
import { sampleCallReport, sampleRefusalReport } from "../../../test/support/call-reports.ts";
import type { FeedItem, FeedReader } from "../call-feed.ts";
import { LiveFeed } from "./live-feed.ts";

const LIMITS = { maxReaders: 2, maxWaiting: 3 };
const idOf = (item: FeedItem | "idle" | "closed" | undefined): unknown =>
  item === undefined || typeof item === "string" || item.kind !== "call"
    ? item
    : item.report.event.requestId;

describe("LiveFeed", () => {
  it("hands a call to every reader that waits for one", async () => {
    const feed = new LiveFeed(LIMITS);
    const [one, other] = [feed.subscribe({}), feed.subscribe({})];
    const next = [one?.next(10_000), other?.next(10_000)] as const;
    feed.callEnded(sampleCallReport({ requestId: "req_1" }));
    expect(idOf(await next[0])).toBe("req_1");
    expect(idOf(await next[1])).toBe("req_1");
    feed.close();
  });

  it("gives a slow reader the newest calls and the number of those it missed, and keeps no more than that", async () => {
    const feed = new LiveFeed(LIMITS);
    const reader = feed.subscribe({});
    for (let i = 1; i <= 10; i++) feed.callEnded(sampleCallReport({ requestId: `req_${i}` }));
    const seen: (Awaited<ReturnType<FeedReader["next"]>> | undefined)[] = [];
    for (let i = 0; i < 5; i++) seen.push(await reader?.next(0));
    expect(seen.map(idOf)).toEqual([
      { kind: "dropped", count: 7 },
      "req_8",
      "req_9",
      "req_10",
      "idle",
    ]);
    expect(feed.counts).toEqual({ readers: 1, dropped: 7 });
    reader?.close();
  });

  it.each([
    [{ environmentId: "env_other" }, []],
    [{ customer: "acme" }, ["req_1"]],
    [{ feature: "voice-agent", model: "gpt-4o-mini-2024-07-18" }, ["req_1"]],
    // What served counts, not what was asked for.
    [{ model: "gpt-4o-mini" }, []],
    [{ status: "failed" }, []],
    [{ status: "refused" }, ["refused"]],
    [{}, ["req_1", "refused"]],
  ])("filters by %j", async (filter, expected) => {
    const feed = new LiveFeed(LIMITS);
    const reader = feed.subscribe(filter as never);
    feed.callEnded(
      sampleCallReport({
        requestId: "req_1",
        customer: "acme",
        feature: "voice-agent",
        requestedModel: "gpt-4o-mini",
        servedModel: "gpt-4o-mini-2024-07-18",
      }),
    );
    feed.callRefused(sampleRefusalReport({}));
    const seen = [];
    for (;;) {
      const item = await reader?.next(0);
      if (item === undefined || typeof item === "string") break;
      seen.push(item.kind === "refusal" ? "refused" : idOf(item));
    }
    expect(seen).toEqual(expected);
    reader?.close();
  });

  it("takes no more readers than it may, until one of them leaves", () => {
    const feed = new LiveFeed(LIMITS);
    const first = feed.subscribe({});
    feed.subscribe({});
    expect(feed.subscribe({})).toBeUndefined();
    first?.close();
    first?.close();
    expect(feed.subscribe({})).toBeDefined();
    feed.close();
  });

  it("ends readers that wait when it is closed", async () => {
    const feed = new LiveFeed(LIMITS);
    const next = feed.subscribe({})?.next(10_000);
    feed.close();
    expect(await next).toBe("closed");
    expect(feed.counts.readers).toBe(0);
  });
});
