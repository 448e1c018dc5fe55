import { expect, test } from "vitest";
import { FaultCounter } from "./fault-counter.ts";
import type { Fault } from "./fault.ts";
import { parseFault } from "./parse-fault.ts";

function strikes(counter: FaultCounter, text: string, calls: number): string {
  const fault = parseFault(text) as Fault;
  return Array.from({ length: calls }, () => (counter.strikes(fault) ? "x" : ".")).join("");
}

test("strikes every call, the first so many, or every so many", () => {
  const counter = new FaultCounter();
  expect(strikes(counter, "500", 4)).toBe("xxxx");
  expect(strikes(counter, "500; times=2", 4)).toBe("xx..");
  expect(strikes(counter, "500; every=3", 7)).toBe("..x..x.");
  expect(strikes(counter, "500; every=2; times=2", 8)).toBe(".x.x....");
});

test("counts by the whole text, so that a label begins anew", () => {
  const counter = new FaultCounter();
  expect(strikes(counter, "500; times=1", 2)).toBe("x.");
  expect(strikes(counter, "500; times=1", 2)).toBe("..");
  expect(strikes(counter, "500; times=1; label=again", 2)).toBe("x.");
});

test("remembers a thousand texts, and forgets the one unused for longest", () => {
  const counter = new FaultCounter();
  strikes(counter, "500; times=1; label=first", 1);
  strikes(counter, "500; times=1; label=second", 1);
  for (let i = 0; i < 998; i += 1) strikes(counter, `500; label=${i}`, 1);
  expect(strikes(counter, "500; times=1; label=first", 1)).toBe(".");
  strikes(counter, "500; label=one-more", 1);
  expect(strikes(counter, "500; times=1; label=second", 1)).toBe("x");
});
