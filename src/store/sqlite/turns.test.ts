import { afterEach, describe, expect, test, vi } from "vitest";
import { Turns } from "./turns.ts";

describe("turns", () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  test("are not waited for without end, and go to the next one all the same", async () => {
    vi.useFakeTimers();
    const turns = new Turns(30_000);
    await turns.take();
    const first = turns.take();
    const refused = expect(first).rejects.toThrow("waited 30000 ms for a transaction to end");
    await vi.advanceTimersByTimeAsync(29_999);
    const second = turns.take();
    await vi.advanceTimersByTimeAsync(1);
    await refused;
    turns.pass();
    await second;
    expect(vi.getTimerCount()).toBe(0);
  });

  test("come in the order in which they were asked for, one at a time", async () => {
    const turns = new Turns(30_000);
    const seen: string[] = [];
    const work = async (name: string) => {
      await turns.take();
      seen.push(`${name} begins`);
      await Promise.resolve();
      seen.push(`${name} ends`);
      turns.pass();
    };
    await Promise.all(["a", "b", "c"].map(work));
    await work("d");
    expect(seen).toEqual(
      ["a", "b", "c", "d"].flatMap((name) => [`${name} begins`, `${name} ends`]),
    );
  });

  test("are refused when too many wait, and those who wait still get theirs", async () => {
    const turns = new Turns(30_000);
    await turns.take();
    let taken = 0;
    const waiting = Array.from({ length: 10_000 }, async () => {
      await turns.take();
      taken += 1;
      turns.pass();
    });
    await expect(turns.take()).rejects.toThrow("10000 callers wait");
    turns.pass();
    await Promise.all(waiting);
    expect(taken).toBe(10_000);
  });
});
