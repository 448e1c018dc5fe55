import * as fc from "fast-check";
import { expect, it } from "vitest";
import { IndexedHeap } from "./indexed-heap.ts";

it("knows the first and the second of its items, whatever comes, goes and moves", () => {
  const anyStep = fc.record({
    act: fc.constantFrom("add", "move", "delete"),
    which: fc.nat({ max: 40 }),
    rank: fc.integer({ min: 0, max: 20 }),
  });
  fc.assert(
    fc.property(fc.array(anyStep, { maxLength: 120 }), (steps) => {
      const heap = new IndexedHeap<{ rank: number }>((one, other) => one.rank - other.rank);
      const items: { rank: number }[] = [];
      for (const { act, which, rank } of steps) {
        const item = items[which % Math.max(1, items.length)];
        if (act === "add" || item === undefined) {
          items.push({ rank });
          heap.add(items[items.length - 1] ?? { rank });
        } else if (act === "move") {
          item.rank = rank;
          heap.moved(item);
        } else {
          items.splice(items.indexOf(item), 1);
          heap.delete(item);
          heap.delete(item);
        }
        const ranks = items.map((one) => one.rank).toSorted((a, b) => a - b);
        expect(heap.size).toBe(items.length);
        expect([heap.first()?.rank, heap.second()?.rank]).toEqual([ranks[0], ranks[1]]);
      }
      heap.clear();
      expect([heap.size, heap.first(), heap.second()]).toEqual([0, undefined, undefined]);
    }),
  );
});
