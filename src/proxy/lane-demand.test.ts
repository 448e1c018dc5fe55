import { expect, it } from "vitest";
import { LaneDemand } from "./lane-demand.ts";

const MINUTE_MS = 60_000;
const AT_MS = 1_800_000 * 1_000;
const came = (demand: LaneDemand, nowMs: number): void =>
  demand.arrived(10.5, { nowMs, limit: undefined });

it("counts every call in the minute in which it came, in whichever order", () => {
  const demand = new LaneDemand();
  came(demand, AT_MS);
  came(demand, AT_MS + MINUTE_MS - 1);
  came(demand, AT_MS + MINUTE_MS);
  came(demand, AT_MS - 1); // The clock was set back.
  demand.concluded(AT_MS, { waitedMs: 5.5, isRefused: false });
  demand.concluded(AT_MS, { waitedMs: 0, isRefused: true });
  const counted = { waited: 0, longestWaitMs: 0, refused: 0 };
  const [first, ...others] = demand.take();
  expect(first).toEqual({
    minuteMs: AT_MS,
    requests: 2,
    tokens: 22,
    waited: 1,
    longestWaitMs: 6,
    refused: 1,
  });
  expect(others).toEqual([
    { minuteMs: AT_MS + MINUTE_MS, requests: 1, tokens: 11, ...counted },
    { minuteMs: AT_MS - MINUTE_MS, requests: 1, tokens: 11, ...counted },
  ]);
});

it("leaves alone what was taken, and adds to what is given back", () => {
  const demand = new LaneDemand();
  came(demand, AT_MS);
  const [taken] = demand.take();
  came(demand, AT_MS);
  expect(taken?.requests).toBe(1);
  if (taken !== undefined) demand.giveBack(taken);
  expect(demand.take()).toMatchObject([{ minuteMs: AT_MS, requests: 2, tokens: 22 }]);
  expect(demand.take()).toEqual([]);
});

it("forgets the oldest of more minutes than anybody wants", () => {
  const demand = new LaneDemand();
  for (let minute = 0; minute < 200; minute += 1) came(demand, AT_MS + minute * MINUTE_MS);
  const taken = demand.take();
  expect(taken).toHaveLength(120);
  expect(taken[0]?.minuteMs).toBe(AT_MS + 80 * MINUTE_MS);
});
