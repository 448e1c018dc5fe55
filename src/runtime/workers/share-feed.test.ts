import { expect, it } from "vitest";
import { sampleCallReport } from "../../../test/support/call-reports.ts";
import { until } from "../../../test/support/poll.ts";
import { LiveFeed } from "../../telemetry/live/live-feed.ts";
import { shareFeed } from "./share-feed.ts";
import type { FromWorker, ToWorker } from "./worker-messages.ts";

/** A feed, and the supervisor that it is shared with. */
function sharedFeed() {
  const feed = new LiveFeed();
  const sent: FromWorker[] = [];
  const written: (() => void)[] = [];
  let receive: ((message: ToWorker) => void) | undefined;
  shareFeed(feed, {
    send: (message, onSent) => {
      sent.push(message);
      if (onSent !== undefined) written.push(onSent);
    },
    onMessage: (listener) => {
      receive = listener;
    },
  });
  const live = () => sent.filter((message) => message.type === "live");
  return { feed, sent, written, live, receive: (message: ToWorker) => receive?.(message) };
}

it("says when somebody begins to read and when the last one has gone", () => {
  const { feed, sent } = sharedFeed();
  const readers = [feed.subscribe({}), feed.subscribe({})];
  for (const reader of readers) reader?.close();
  expect(sent).toEqual([
    { type: "reading", isReading: true },
    { type: "reading", isReading: false },
  ]);
});

it("sends its calls while they are wanted elsewhere, many in one message", async () => {
  const { feed, live, receive } = sharedFeed();
  feed.callEnded(sampleCallReport());
  receive({ type: "forward", isWanted: true });
  const reports = [sampleCallReport(), sampleCallReport()];
  for (const report of reports) feed.callEnded(report);
  receive({ type: "forward", isWanted: false });
  feed.callEnded(sampleCallReport());
  await until("they are sent", () => live().length > 0);
  expect(live()).toEqual([
    { type: "live", items: reports.map((report) => ({ kind: "call", report })) },
  ]);
});

it("keeps to itself what was held for a call", async () => {
  const { feed, live, receive } = sharedFeed();
  receive({ type: "forward", isWanted: true });
  const report = sampleCallReport();
  feed.callEnded({ ...report, event: { ...report.event, hold: { of: "this process" } } });
  await until("it is sent", () => live().length > 0);
  expect(live()).toEqual([{ type: "live", items: [{ kind: "call", report }] }]);
});

it("drops and counts what the supervisor does not take", async () => {
  const { feed, live, written, receive } = sharedFeed();
  receive({ type: "forward", isWanted: true });
  for (let call = 0; call < 1_002; call += 1) feed.callEnded(sampleCallReport());
  await until("a message is sent", () => live().length === 1);
  const [first] = live();
  expect(first?.type === "live" && first.items).toHaveLength(1_001);
  expect(first?.type === "live" && first.items.at(-1)).toEqual({ kind: "dropped", count: 2 });
  feed.callEnded(sampleCallReport());
  expect(live()).toHaveLength(1);
  written[0]?.();
  await until("the next one follows", () => live().length === 2);
});

it("hands calls from elsewhere to the readers here that want them, and sends them no further", async () => {
  const { feed, live, receive } = sharedFeed();
  receive({ type: "forward", isWanted: true });
  const [all, failed] = [feed.subscribe({}), feed.subscribe({ status: "failed" })];
  const item = { kind: "call", report: sampleCallReport() } as const;
  receive({ type: "live", items: [item, { kind: "dropped", count: 3 }] });
  expect(await all?.next(0)).toEqual({ kind: "dropped", count: 3 });
  expect(await all?.next(0)).toEqual(item);
  expect(await failed?.next(0)).toEqual({ kind: "dropped", count: 3 });
  expect(await failed?.next(0)).toBe("idle");
  expect(live()).toEqual([]);
});
