import { describe, expect, it } from "vitest";
import type { EnvironmentKind } from "../core/environments/environment.ts";
import { LaneQueue, type Waiter } from "./lane-queue.ts";

const waiter = (kind: EnvironmentKind, flow: string): Waiter => ({
  call: { kind, flow, tokens: 0 },
  deadlineMs: 0,
});

describe("the queue of a lane", () => {
  it("lets production go first, then staging, then development, and each customer in turn", () => {
    const queue = new LaneQueue(100);
    const all = [
      waiter("development", "a"),
      waiter("staging", "a"),
      waiter("production", "burst"),
      waiter("production", "burst"),
      waiter("production", "burst"),
      waiter("production", "one"),
    ];
    for (const one of all) expect(queue.add(one)).toBeUndefined();
    expect([queue.isWaitingBefore("production"), queue.size]).toEqual([true, 6]);
    const taken = Array.from({ length: 6 }, () => queue.takeFirst()?.call);
    expect(taken.map((call) => `${call?.kind} ${call?.flow}`)).toEqual([
      "production burst",
      "production one",
      "production burst",
      "production burst",
      "staging a",
      "development a",
    ]);
    expect([queue.takeFirst(), queue.size]).toEqual([undefined, 0]);
  });

  it("gives the places that are all taken to what matters more, and to who has fewer", () => {
    const queue = new LaneQueue<Waiter>(3);
    const burst = [1, 2, 3].map(() => waiter("development", "burst"));
    for (const one of burst) queue.add(one);
    const greedy = waiter("development", "burst");
    expect(queue.add(greedy)).toBe(greedy);
    expect(queue.add(waiter("development", "other"))).toBe(burst[2]);
    expect(queue.add(waiter("production", "x"))).toBe(burst[1]);
    expect(queue.isWaitingBefore("staging")).toBe(true);
    const staging = waiter("staging", "x");
    expect(queue.add(staging)).toBeDefined();
    expect(queue.size).toBe(3);
    expect([queue.remove(staging), queue.remove(staging), queue.size]).toEqual([true, false, 2]);
  });
});
