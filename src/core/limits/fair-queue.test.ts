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
    queue.add("b", "b1", 1);
    expect(queue.newestOfLongest()).toEqual({ flow: "b", item: "b1" });
    expect([queue.remove("b", "b1"), queue.remove("b", "b1"), queue.remove("c", "")]).toEqual([
      true,
      false,
      false,
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
});
