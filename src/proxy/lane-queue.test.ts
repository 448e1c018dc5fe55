import { describe, expect, it } from "vitest";
import type { EnvironmentKind } from "../core/environments/environment.ts";
import { LaneQueue, type Waiter } from "./lane-queue.ts";

const waiter = (kind: EnvironmentKind, flow: string): Waiter => ({
  call: { kind, flow, tokens: 0 },
  deadlineMs: 0,
});

function takeFirst(queue: LaneQueue<Waiter>): Waiter | undefined {
  const first = queue.next()?.first;
  if (first !== undefined) queue.take(first);
  return first;
}

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
    for (const one of all) expect(queue.add(one, 1)).toBeUndefined();
    expect([queue.isWaitingBefore("production", 0), queue.size]).toEqual([true, 6]);
    const taken = Array.from({ length: 6 }, () => takeFirst(queue)?.call);
    expect(taken.map((call) => `${call?.kind} ${call?.flow}`)).toEqual([
      "production burst",
      "production one",
      "production burst",
      "production burst",
      "staging a",
      "development a",
    ]);
    expect([takeFirst(queue), queue.size]).toEqual([undefined, 0]);
  });

  it("gives the places that are all taken to what matters more, and to who has fewer", () => {
    const queue = new LaneQueue<Waiter>(3);
    const burst = [1, 2, 3].map(() => waiter("development", "burst"));
    for (const one of burst) queue.add(one, 1);
    const greedy = waiter("development", "burst");
    expect(queue.add(greedy, 1)).toBe(greedy);
    expect(queue.add(waiter("development", "other"), 1)).toBe(burst[2]);
    expect(queue.add(waiter("production", "x"), 1)).toBe(burst[1]);
    expect(queue.isWaitingBefore("staging", 0)).toBe(true);
    const staging = waiter("staging", "x");
    expect(queue.add(staging, 1)).toBeDefined();
    expect(queue.size).toBe(3);
    expect([queue.remove(staging), queue.remove(staging), queue.size]).toEqual([true, false, 2]);
  });

  it("keeps the turns of no more calls that were sent away than may wait, whatever they call themselves", () => {
    const queue = new LaneQueue<Waiter>(3);
    const all = Array.from({ length: 50 }, (_, index) => waiter("production", `made up ${index}`));
    for (const one of all) {
      queue.add(one, 1);
      queue.giveUp(one, 1_000);
    }
    expect(all.filter((one) => queue.isAbsent(one))).toEqual(all.slice(0, 3));
    queue.forgetAbsent(1_000);
    expect([queue.size, queue.next(), queue.isWaitingBefore("production", 1_000)]).toEqual([
      0,
      undefined,
      false,
    ]);
  });

  it("keeps the turn of a call that was sent away, for a time or until it comes up", () => {
    const queue = new LaneQueue<Waiter>(2);
    const gone = waiter("production", "gone");
    queue.add(gone, 1);
    queue.giveUp(gone, 1_000);
    expect([queue.size, queue.isAbsent(gone), queue.waiting().production.calls]).toEqual([
      0,
      true,
      0,
    ]);
    // It is there for its kind, and holds up nothing that matters less.
    expect(queue.isWaitingBefore("production", 0)).toBe(true);
    expect(queue.isWaitingBefore("development", 0)).toBe(false);
    const other = waiter("production", "other");
    queue.add(other, 1);
    expect(queue.next()).toMatchObject({ first: gone, overtaking: { item: other } });
    const back = waiter("production", "gone");
    queue.add(back, 1);
    expect([queue.next()?.first === back, queue.isAbsent(gone)]).toEqual([true, false]);
    queue.giveUp(back, 1_000);
    queue.forgetAbsent(999);
    expect(queue.next()?.first).toBe(back);
    queue.forgetAbsent(1_000);
    expect(queue.next()).toEqual({ first: other, overtaking: undefined });
  });

  it("keeps at most so many turns, one of a customer, and none that a place is needed for", () => {
    const queue = new LaneQueue<Waiter>(2);
    const sent = ["a", "a", "b", "c"].map((flow) => waiter("development", flow));
    for (const one of sent) queue.expect(one, 1, 1_000);
    expect(sent.map((one) => queue.isAbsent(one))).toEqual([false, true, true, false]);
    const burst = [1, 2].map(() => waiter("staging", "burst"));
    for (const one of burst) queue.add(one, 1);
    expect(queue.add(waiter("production", "x"), 1)).toBe(burst[1]);
    expect(queue.size).toBe(2);
  });
});
