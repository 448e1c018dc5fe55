/** How much is asked of accounts, from the calls that come to the gate to what is written, by a clock that the test drives. */
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { ProviderAccountId } from "../../core/ids/ids.ts";
import { type AccountDemand, MINUTE_MS } from "../../core/limits/account-demand.ts";
import { AccountGate, type AccountTicket } from "../../proxy/account-gate.ts";
import { HeaderFields } from "../../proxy/http/header-fields.ts";
import { MAX_ADDED_DEMANDS } from "../../store/account-demand-repository.ts";
import { DemandWriter } from "./demand-writer.ts";

const START_MS = 1_800_000_000_000;
const accountId = "acc_main" as ProviderAccountId;
const owner = { accountId, model: "gpt-4o" };
const call = { kind: "production", flow: "", tokens: 100 } as const;

const monotonicMs = (): number => performance.now();

function told(remaining: number) {
  return {
    "x-ratelimit-limit-requests": "10",
    "x-ratelimit-remaining-requests": String(remaining),
    "x-ratelimit-reset-requests": "3s",
    "x-ratelimit-limit-tokens": "5000",
    "x-ratelimit-remaining-tokens": "5000",
    "x-ratelimit-reset-tokens": "3s",
  };
}

function start(maxCalls = 2) {
  const written: AccountDemand[] = [];
  const state = { isAway: false, removals: 0 };
  const warnings: string[] = [];
  const say = (_: object, message: string): void => void warnings.push(message);
  const log = { info: say, warn: say };
  const gate = new AccountGate({ maxWaitMs: 5_000, maxCalls, monotonicMs, nowMs: Date.now, log });
  const writer = new DemandWriter({
    gate,
    demands: {
      add: async (demands) => {
        if (state.isAway) throw new Error("the store is away");
        expect(demands.length).toBeLessThanOrEqual(MAX_ADDED_DEMANDS);
        written.push(...demands);
      },
      removeOld: async () => (state.removals += 1),
    },
    monotonicMs,
    log,
  });
  const enter = (model = owner.model, of: { readonly tokens: number } = call) =>
    gate.enter({ accountId, model }, { ...call, ...of });
  const answer = (headers: Record<string, string>, model?: string, status = 200): void => {
    ticketOf(enter(model)).answered({ status, headers: HeaderFields.from(headers) });
  };
  return { gate, writer, written, state, warnings, enter, answer };
}

function ticketOf(entered: object): AccountTicket {
  if (!("ticket" in entered) || entered.ticket === undefined) throw new Error("it was not let in");
  return entered.ticket as AccountTicket;
}

beforeEach(() => vi.useFakeTimers({ now: START_MS }));
afterEach(() => vi.useRealTimers());

it("counts calls by the minute in which they came, also those that waited, were refused or left", async () => {
  const { gate, writer, written, enter, answer } = start();
  answer(told(0));
  const waiting = [enter(), enter()];
  const crowded = enter();
  expect(crowded).toMatchObject({ ticket: undefined, reason: "crowded" });
  const [, leaving] = waiting;
  await vi.advanceTimersByTimeAsync(1_000);
  if (leaving === undefined || !("leave" in leaving)) throw new Error("it does not wait");
  leaving.leave();
  await vi.advanceTimersByTimeAsync(2_500);
  await writer.write();
  const [first] = waiting;
  if (first === undefined || !("outcome" in first)) throw new Error("it does not wait");
  expect((await first.outcome).ticket).toBeDefined();
  expect(written).toEqual([
    {
      ...owner,
      minuteMs: START_MS,
      requests: 4,
      tokens: 400,
      waited: 2,
      longestWaitMs: 3_000,
      refused: 1,
      requestLimit: 10,
      tokenLimit: 5_000,
    },
  ]);
  gate.close();
});

it("counts a wait in the minute in which the call came, and what one call may use no higher than the limit", async () => {
  const { gate, writer, written, enter, answer } = start();
  answer(told(0));
  await vi.advanceTimersByTimeAsync(MINUTE_MS - 2_000);
  answer(told(0));
  const waiting = enter(owner.model, { tokens: 1e300 });
  await writer.write();
  await vi.advanceTimersByTimeAsync(5_000);
  await writer.write();
  expect("outcome" in waiting).toBe(true);
  expect(written.map(({ minuteMs, requests, waited }) => [minuteMs, requests, waited])).toEqual([
    [START_MS, 3, 0],
    [START_MS, 0, 1],
  ]);
  expect(written[0]?.tokens).toBe(5_200);
  gate.close();
});

it("writes nothing of models that no provider has answered for, and nothing where nothing was asked", async () => {
  const { writer, written, answer } = start();
  answer({}, "made-up", 404);
  await writer.write();
  expect(written).toEqual([]);
  answer({}, "silent about limits");
  await writer.write();
  await writer.write();
  expect(written).toMatchObject([{ model: "silent about limits", requestLimit: null }]);
});

it("keeps what could not be written, says so once, and writes it when the store is there again", async () => {
  const { writer, written, state, warnings, answer } = start();
  state.isAway = true;
  writer.start();
  answer(told(9));
  await vi.advanceTimersByTimeAsync(MINUTE_MS);
  answer(told(9));
  await vi.advanceTimersByTimeAsync(MINUTE_MS);
  expect(written).toEqual([]);
  expect(warnings).toHaveLength(1);
  state.isAway = false;
  await vi.advanceTimersByTimeAsync(15_000);
  expect(written.map(({ minuteMs, requests }) => [minuteMs, requests])).toEqual([
    [START_MS, 1],
    [START_MS + MINUTE_MS, 1],
  ]);
  expect(warnings).toHaveLength(2);
  answer(told(9));
  await writer.stop();
  expect(written).toHaveLength(3);
  expect(vi.getTimerCount()).toBe(0);
});

it("has an end of what it keeps: two hours of minutes, the latest", async () => {
  const { writer, written, state, answer } = start();
  state.isAway = true;
  for (let minute = 0; minute < 130; minute += 1) {
    answer(told(9));
    await writer.write();
    await vi.advanceTimersByTimeAsync(MINUTE_MS);
  }
  state.isAway = false;
  await writer.write();
  expect(written).toHaveLength(120);
  expect(Math.min(...written.map(({ minuteMs }) => minuteMs))).toBe(START_MS + 10 * MINUTE_MS);
  expect(state.removals).toBe(1);
});

it("writes models whose names no database tells apart as one", async () => {
  const { writer, written, answer } = start();
  answer(told(9), "a\ud800");
  answer(told(9), "a\0");
  answer(told(9), "a\ufffd");
  await writer.write();
  expect(written.map(({ model, requests }) => [model, requests])).toEqual([["a\ufffd", 3]]);
});
