import { expect, it } from "vitest";
import { MAX_EARLY_DEATHS, RestartPace } from "./restart-pace.ts";

it("waits twice as long with every early death, half a minute at the most", () => {
  const pace = new RestartPace();
  const delays = Array.from({ length: 11 }, () => pace.died(1_000));
  expect(delays.slice(0, 5)).toEqual([100, 200, 400, 800, 1_600]);
  expect(delays.at(-1)).toBe(30_000);
  expect(pace.earlyDeaths).toBeGreaterThan(MAX_EARLY_DEATHS);
});

it("begins anew with a process that had lived for a minute", () => {
  const pace = new RestartPace();
  pace.died(1_000);
  pace.died(59_999);
  expect(pace.earlyDeaths).toBe(2);
  expect(pace.died(60_000)).toBe(100);
  expect(pace.earlyDeaths).toBe(1);
});
