import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FairQueue } from "./fair-queue.ts";

describe("a fair queue", () => {
  it("lets a flow with one item through a burst of another", () => {
    const queue = new FairQueue<string>();
    for (let i = 0; i < 100; i += 1) queue.add("big", `big ${i}`, 1);
    queue.take();
    queue.add("small", "small 0", 1);
    expect([queue.peek(), queue.take(), queue.take()]).toEqual(["small 0", "small 0", "big 1"]);
    expect([queue.size, queue.sizeOf("big"), queue.sizeOf("small")]).toEqual([98, 98, 0]);
  });

  it("counts what items cost, and gives nothing for having been idle", () => {
    const queue = new FairQueue<string>();
    for (let i = 0; i < 4; i += 1) queue.add("dear", "dear", 3);
    for (let i = 0; i < 12; i += 1) queue.add("cheap", "cheap", 1);
    const first = Array.from({ length: 8 }, () => queue.take());
    expect(first.filter((item) => item === "cheap")).toHaveLength(6);
    queue.add("late", "late", 1);
    queue.add("late", "late", 1);
    const next = Array.from({ length: 4 }, () => queue.take());
    expect(next.filter((item) => item === "late").length).toBeLessThanOrEqual(2);
  });

  it("sends away the newest of the longest flow, and forgets who left", () => {
    const queue = new FairQueue<string>();
    queue.add("a", "a0", 1);
    queue.add("b", "b0", 1);
    const newest = queue.add("b", "b1", 1);
    expect(queue.newestOfLongest()).toBe(newest);
    expect([queue.remove(newest), queue.remove(newest), queue.sizeOf("b")]).toEqual([
      true,
      false,
      1,
    ]);
    expect([queue.take(), queue.take(), queue.take(), queue.peek()]).toEqual([
      "a0",
      "b0",
      undefined,
      undefined,
    ]);
  });

  it("lets everything through once, each flow in its order, none more than an item behind its share", () => {
    const anyItem = fc.record({ flow: fc.constantFrom("a", "b", "c"), cost: fc.constant(1) });
    fc.assert(
      fc.property(fc.array(anyItem, { maxLength: 60 }), (items) => {
        const queue = new FairQueue<number>();
        items.forEach(({ flow, cost }, index) => queue.add(flow, index, cost));
        const taken: number[] = [];
        const waiting = new Map<string, number>();
        for (const { flow } of items) waiting.set(flow, (waiting.get(flow) ?? 0) + 1);
        const served = new Map([...waiting.keys()].map((flow) => [flow, 0]));
        for (let item = queue.take(); item !== undefined; item = queue.take()) {
          taken.push(item);
          const flow = items[item]?.flow ?? "";
          served.set(flow, (served.get(flow) ?? 0) + 1);
          waiting.set(flow, (waiting.get(flow) ?? 0) - 1);
          for (const [other, left] of waiting) {
            if (left > 0) {
              expect((served.get(flow) ?? 0) - (served.get(other) ?? 0)).toBeLessThanOrEqual(1);
            }
          }
        }
        expect(taken.toSorted((a, b) => a - b)).toEqual(items.map((_, index) => index));
        for (const flow of waiting.keys()) {
          const own = taken.filter((index) => items[index]?.flow === flow);
          expect(own).toEqual(own.toSorted((a, b) => a - b));
        }
      }),
    );
  });

  it("shares by what items cost, whichever come together", () => {
    const anyItem = fc.record({
      flow: fc.constantFrom("a", "b", "c"),
      cost: fc.integer({ min: 1, max: 50 }),
    });
    fc.assert(
      fc.property(fc.array(anyItem, { maxLength: 60 }), (items) => {
        const queue = new FairQueue<(typeof items)[number]>();
        for (const item of items) queue.add(item.flow, item, item.cost);
        const served: Record<string, number> = { a: 0, b: 0, c: 0 };
        for (let item = queue.take(); item !== undefined; item = queue.take()) {
          served[item.flow] = (served[item.flow] ?? 0) + item.cost;
          const waiting = Object.keys(served).filter((flow) => queue.sizeOf(flow) > 0);
          for (const other of waiting) {
            expect((served[item.flow] ?? 0) - (served[other] ?? 0)).toBeLessThanOrEqual(50);
          }
        }
        expect(queue.size).toBe(0);
      }),
    );
  });

  it("has one that overtakes leave more and more to the one it overtakes", () => {
    const queue = new FairQueue<string>();
    queue.add("dear", "dear", 100);
    expect([queue.overtaking(), queue.keptAhead("cheap", 10)]).toEqual([undefined, 0.1]);
    const cheap = Array.from({ length: 12 }, (_, i) => queue.add("cheap", `cheap ${i}`, 10));
    const kept: unknown[] = [];
    for (const one of cheap.slice(0, 11)) {
      kept.push(queue.overtaking()?.kept);
      queue.take(one);
    }
    expect(kept).toEqual([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1, 1]);
    expect([queue.take(), queue.overtaking()]).toEqual(["dear", undefined]);
  });

  it("takes what several dear ones were let through ahead of one that is cheap for its gain", () => {
    const queue = new FairQueue<string>();
    for (const flow of ["x", "y"]) {
      queue.add(flow, `${flow} 0`, 100);
      queue.add(flow, `${flow} 1`, 100);
    }
    for (let i = 0; i < 40; i += 1) queue.add("cheap", `cheap ${i}`, 10);
    expect(queue.take()).toBe("x 0");
    // Together they have had 100 more than the cheap one: nothing has to be left until it has had as much as each.
    expect(queue.overtaking()).toEqual({ item: "cheap 0", kept: 0 });
  });

  it("gives a newcomer no claim to what others have saved up", () => {
    const queue = new FairQueue<string>();
    queue.add("dear", "dear", 1_000);
    const kept: number[] = [];
    for (let i = 0; i < 50; i += 1) {
      const one = queue.add(`newcomer ${i}`, `newcomer ${i}`, 10);
      kept.push(queue.overtaking()?.kept ?? -1);
      queue.take(one);
    }
    expect(kept).toEqual(kept.toSorted((a, b) => a - b));
    // What they have had, 500, is shared with the one that waits, if not evenly: there were many of them.
    expect(kept.at(-1)).toBeGreaterThan(0.05);
  });

  it("remembers no more flows that wait for nothing than it is told to, and drops who had the least too much", () => {
    const queue = new FairQueue<string>(1);
    queue.add("first", "first", 0.001);
    for (const flow of ["a", "b"]) queue.take(queue.add(flow, flow, 1));
    // Only `b` is still held to what it had.
    for (const flow of ["b", "a", "new"]) queue.add(flow, flow, 1);
    expect(Array.from({ length: 4 }, () => queue.take())).toEqual(["first", "a", "new", "b"]);
  });
});
