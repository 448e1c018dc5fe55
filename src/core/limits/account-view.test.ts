import { describe, expect, it } from "vitest";
import type { ProviderAccountId } from "../ids/ids.ts";
import { mergeGauges } from "./account-gauge.ts";
import {
  emptyView,
  exchangeView,
  NO_AMOUNTS,
  NONE_WAITING,
  type ViewNews,
} from "./account-view.ts";

const key = { accountId: "acc_1" as ProviderAccountId, model: "gpt-4o" };
const nowMs = 1_000_000;
const moment = { nowMs, runningProcesses: new Set(["a", "b"]) };
const window = (left: number, atMs = nowMs, resetsAtMs = nowMs + 50_000) =>
  ({ limit: 60, left, atMs, refill: "at_once", resetsAtMs, doubtMs: 0, provenUntilMs: 0 }) as const;

function news(processId: string, change: Partial<ViewNews> = {}): ViewNews {
  return {
    processId,
    requests: undefined,
    tokens: undefined,
    countedBeforeMs: 0,
    closedUntilMs: 0,
    onTheirWay: NO_AMOUNTS,
    waiting: NONE_WAITING,
    firstTokens: 0,
    kind: undefined,
    isIdle: false,
    ...change,
  };
}

const waiting = (kind: "production" | "development", calls: number) => ({
  ...NONE_WAITING,
  [kind]: { calls, tokens: 0 },
});

describe("what processes know together of an account", () => {
  it("grants no call twice, and takes off what others have on their way", () => {
    const onTheirWay = { calls: 10, tokens: 0 };
    const told = news("a", {
      requests: window(30),
      onTheirWay,
      waiting: waiting("production", 15),
    });
    const first = exchangeView(emptyView(key), told, moment);
    expect(first.granted.calls).toBe(15);
    const asking = news("b", { waiting: waiting("production", 40) });
    // Of the five that are left, by how much waits: the first still counts as waiting until it speaks again.
    expect(exchangeView(first.view, asking, moment).granted.calls).toBe(3);
    // What a process held that does not run any more is free again.
    const alone = { ...moment, runningProcesses: new Set(["b"]) };
    expect(exchangeView(first.view, asking, alone).granted.calls).toBe(30);
  });

  it("leaves to production that waits elsewhere what it needs, and to development no more than its share", () => {
    const live = news("b", { requests: window(60), waiting: waiting("production", 30) });
    const { view } = exchangeView(emptyView(key), live, moment);
    const burst = news("a", { waiting: waiting("development", 100) });
    // Granted 30, and said to wait until it speaks again: none of that is development's.
    expect(exchangeView(view, burst, moment).granted.calls).toBe(0);
    const calm = exchangeView(view, news("b"), moment);
    expect(exchangeView(calm.view, burst, moment).granted.calls).toBe(48);
  });

  it("keeps the lower of two tellings of one window, the later window, and the later limit", () => {
    expect(mergeGauges(window(9, nowMs), window(40, nowMs + 10)).left).toBe(9);
    expect(mergeGauges(window(40, nowMs + 10), window(9, nowMs)).left).toBe(9);
    const next = window(58, nowMs + 40_000, nowMs + 100_000);
    expect(mergeGauges(window(9), next)).toEqual(next);
    // So old that it may tell of the window before.
    const late = { ...window(58, nowMs + 600, nowMs + 50_600), doubtMs: 600 };
    expect(mergeGauges(window(9), late).left).toBe(9);
    const tier = { ...window(500, nowMs + 1), limit: 600 };
    expect(mergeGauges(tier, window(9))).toEqual(tier);
  });

  it("believes in no time further ahead than there can be, as after a step back of the clock", () => {
    const far = news("a", { requests: window(0, nowMs, nowMs + 1e9), closedUntilMs: nowMs + 1e9 });
    const { view } = exchangeView(emptyView(key), far, moment);
    expect([view.closedUntilMs, view.requests]).toMatchObject([
      nowMs + 300_000,
      { resetsAtMs: nowMs + 300_000 },
    ]);
  });
});
