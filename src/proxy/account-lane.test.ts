import { expect, it } from "vitest";
import { AccountLane } from "./account-lane.ts";
import { LaneShare } from "./lane-share.ts";

it("remembers nothing of calls that have ended, answered or not", () => {
  const lane = new AccountLane(0, new LaneShare({ count: 1, isAway: false }, true));
  const call = { kind: "production", tokens: 10 } as const;
  const requests = { limit: 100_000, remaining: 50_000, resetMs: 30_000 };
  for (let i = 0; i < 1_000; i += 1) {
    lane.unanswered(lane.enter(call, i), { wasSent: i % 2 === 0, nowMs: i });
    lane.answered(lane.enter(call, i), { isSuccess: false, told: {}, nowMs: i });
    lane.answered(lane.enter(call, i), { isSuccess: true, told: { requests }, nowMs: i });
  }
  expect([lane.remembered, lane.hasUnanswered]).toEqual([0, false]);
});
