import { expect, it } from "vitest";
import { AccountLane } from "./account-lane.ts";

it("remembers nothing of calls that have ended, answered or not", () => {
  const lane = new AccountLane(0);
  const requests = { limit: 100_000, remaining: 50_000, resetMs: 30_000 };
  for (let i = 0; i < 1_000; i += 1) {
    lane.unanswered(lane.enter(10, i), { wasSent: i % 2 === 0, nowMs: i });
    lane.answered(lane.enter(10, i), { isSuccess: false, told: {}, nowMs: i });
    lane.answered(lane.enter(10, i), { isSuccess: true, told: { requests }, nowMs: i });
  }
  expect([lane.remembered, lane.hasUnanswered]).toEqual([0, false]);
});
