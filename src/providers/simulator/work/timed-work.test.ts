import { expect, test } from "vitest";
import { TimedWork } from "./timed-work.ts";

test("waits for a quarter of its time, works, and is done at its end", () => {
  const work = new TimedWork(10_000, 1000);
  const phases = [10_000, 10_249, 10_250, 10_999, 11_000, 99_000].map((at) => work.phase(at));
  expect(phases).toEqual(["waiting", "waiting", "working", "working", "done", "done"]);
});

test("work of no length is done at once", () => {
  expect(new TimedWork(10_000, 0).phase(10_000)).toBe("done");
});

test("does not go back when the clock does", () => {
  const work = new TimedWork(10_000, 1000);
  expect(work.phase(11_000)).toBe("done");
  expect(work.phase(5000)).toBe("done");
});
