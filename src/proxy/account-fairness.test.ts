/** Customers whose calls differ in size, on one account, by a clock that the test drives. */
import * as fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { EnvironmentKind } from "../core/environments/environment.ts";
import type { ProviderAccountId } from "../core/ids/ids.ts";
import { AccountGate } from "./account-gate.ts";
import { HeaderFields } from "./http/header-fields.ts";

const owner = { accountId: "acc_shared" as ProviderAccountId, model: "gpt-4o" };
const LIMIT = 100_000;
const PER_MS = LIMIT / 60_000;
const MAX_WAIT_MS = 10_000;

/** Gives tokens back bit by bit, as OpenAI and Anthropic do, or all at once. */
class Provider {
  left = LIMIT;
  refused = 0;
  readonly #windowMs: number | undefined;
  #atMs = performance.now();
  #endsAtMs = 0;

  constructor(windowMs?: number) {
    this.#windowMs = windowMs;
  }

  take(tokens: number): { readonly status: number; readonly headers: Record<string, string> } {
    const nowMs = performance.now();
    if (this.#windowMs === undefined) {
      this.left = Math.min(LIMIT, this.left + (nowMs - this.#atMs) * PER_MS);
      this.#atMs = nowMs;
    } else if (nowMs >= this.#endsAtMs) {
      this.#endsAtMs = nowMs + this.#windowMs;
      this.left = LIMIT;
    }
    const isRefused = this.left < tokens;
    if (isRefused) this.refused += 1;
    else this.left -= tokens;
    const resetMs =
      this.#windowMs === undefined ? (LIMIT - this.left) / PER_MS : this.#endsAtMs - nowMs;
    const headers = {
      "x-ratelimit-limit-tokens": String(LIMIT),
      "x-ratelimit-remaining-tokens": String(Math.floor(this.left)),
      "x-ratelimit-reset-tokens": `${(resetMs / 1_000).toFixed(3)}s`,
    };
    return { status: isRefused ? 429 : 200, headers };
  }
}

/** What one customer got. */
interface Served {
  calls: number;
  tokens: number;
  refused: number;
  readonly waitsMs: number[];
  longestWithoutMs: number;
  servedAtMs: number;
}

/** One customer: so many callers, each of which makes its next call a while after the last was answered. */
interface Customer {
  readonly name: string;
  readonly callers: number;
  readonly tokens: number;
  readonly pauseMs: number;
  readonly kind?: EnvironmentKind;
}

class Traffic {
  readonly gate = new AccountGate({
    maxWaitMs: MAX_WAIT_MS,
    maxCalls: 1_000,
    monotonicMs: () => performance.now(),
    nowMs: Date.now,
    log: { warn: () => undefined },
  });
  readonly provider: Provider;
  #isOver = false;

  constructor(provider: Provider) {
    this.provider = provider;
  }

  /** Calls until the traffic is over. */
  start(customer: Customer): Served {
    const nowMs = performance.now();
    const served: Served = {
      calls: 0,
      tokens: 0,
      refused: 0,
      waitsMs: [],
      longestWithoutMs: 0,
      servedAtMs: nowMs,
    };
    for (let i = 0; i < customer.callers; i += 1) void this.#callAgain(customer, served);
    return served;
  }

  async end(): Promise<void> {
    this.#isOver = true;
    this.gate.close();
    await vi.advanceTimersByTimeAsync(20_000);
  }

  async #callAgain(customer: Customer, served: Served): Promise<void> {
    while (!this.#isOver) {
      await pass((await this.#call(customer, served)) ? customer.pauseMs : 250);
    }
  }

  async #call({ name, tokens, kind }: Customer, served: Served): Promise<boolean> {
    const startedAtMs = performance.now();
    const call = { kind: kind ?? "production", flow: name, tokens } as const;
    const entered = this.gate.enter(owner, call);
    const { ticket } = "outcome" in entered ? await entered.outcome : entered;
    const nowMs = performance.now();
    served.waitsMs.push(nowMs - startedAtMs);
    if (ticket === undefined) {
      served.refused += 1;
      return false;
    }
    served.longestWithoutMs = Math.max(served.longestWithoutMs, nowMs - served.servedAtMs);
    served.servedAtMs = nowMs;
    served.calls += 1;
    served.tokens += tokens;
    const head = this.provider.take(tokens);
    await pass(50);
    ticket.answered({ ...head, headers: HeaderFields.from(head.headers) });
    return head.status === 200;
  }
}

function pass(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}

/** Makes what was counted before no longer count. */
function startOver(...all: Served[]): void {
  for (const served of all) {
    Object.assign(served, { calls: 0, tokens: 0, refused: 0, longestWithoutMs: 0 });
    served.servedAtMs = performance.now();
    served.waitsMs.length = 0;
  }
}

const percentile = (values: readonly number[], share: number): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length * share)] ?? 0;

beforeEach(() => {
  vi.useFakeTimers({ now: 1_800_000_000_000 });
});

afterEach(() => {
  vi.useRealTimers();
});

const seconds = (count: number): Promise<unknown> => vi.advanceTimersByTimeAsync(count * 1_000);

describe("customers on one account that gives tokens back bit by bit", () => {
  // A call of 15,000 tokens comes to 9 s of all that the account gives back, one of 20,000 to 12: more than it may wait.
  const cases = [
    { callers: 6, large: 15_000, kind: "production" },
    { callers: 6, large: 20_000, kind: "development" },
    { callers: 1, large: 20_000, kind: "production" },
  ] as const;
  it.each(cases)(
    "share its tokens evenly, and none waits for the other's large calls: $callers of $large in $kind",
    async ({ callers, large, kind }) => {
      const traffic = new Traffic(new Provider());
      // What they ask is a little more than half of what there is.
      const small = traffic.start({ name: "small", callers: 3, tokens: 75, pauseMs: 200, kind });
      await seconds(8);
      const big = traffic.start({ name: "big", callers, tokens: large, pauseMs: 0, kind });
      await seconds(60);
      expect([small.refused, traffic.provider.refused]).toEqual([0, 0]);
      expect(Math.max(...small.waitsMs)).toBeLessThan(500);
      startOver(small, big);
      await seconds(300);
      const half = (300_000 * PER_MS) / 2;
      expect([small.refused, traffic.provider.refused]).toEqual([0, 0]);
      expect(percentile(small.waitsMs, 0.99)).toBeLessThan(500);
      expect(small.tokens / half).toBeGreaterThan(0.9);
      expect(big.tokens / half).toBeGreaterThan(0.9);
      await traffic.end();
    },
  );

  it("have what others leave of their part", async () => {
    const traffic = new Traffic(new Provider());
    const small = traffic.start({ name: "small", callers: 1, tokens: 50, pauseMs: 950 });
    const big = traffic.start({ name: "big", callers: 6, tokens: 15_000, pauseMs: 0 });
    await seconds(60);
    startOver(small, big);
    await seconds(300);
    expect(small.refused).toBe(0);
    expect(Math.max(...small.waitsMs)).toBeLessThan(500);
    expect(big.tokens / (300_000 * PER_MS)).toBeGreaterThan(0.9);
    await traffic.end();
  });

  it("all get on, whatever their calls take and however many each has", async () => {
    const anyCustomer = fc.record({
      callers: fc.integer({ min: 1, max: 4 }),
      tokens: fc.oneof(
        fc.integer({ min: 300, max: 2_000 }),
        fc.integer({ min: 2_000, max: 25_000 }),
      ),
      pauseMs: fc.integer({ min: 0, max: 500 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(anyCustomer, { minLength: 2, maxLength: 4 }), async (customers) => {
        const traffic = new Traffic(new Provider());
        const all = customers.map((one, i) => traffic.start({ name: `customer ${i}`, ...one }));
        await seconds(60);
        startOver(...all);
        traffic.provider.refused = 0;
        await seconds(180);
        expect(traffic.provider.refused).toBe(0);
        const part = (180_000 * PER_MS) / all.length;
        for (const [i, { tokens, callers, pauseMs }] of customers.entries()) {
          const asked = (callers * tokens * 180_000) / (pauseMs + 50);
          const got = all[i]?.tokens ?? 0;
          // Whole calls: one less may have come to its end, and one of each other more.
          const others = Math.max(...customers.map((one) => one.tokens));
          expect(got + tokens + others).toBeGreaterThan(0.7 * Math.min(part, asked));
        }
        await traffic.end();
      }),
      { numRuns: 8, endOnFailure: true },
    );
  });
});

describe("a large call that waits", () => {
  it("does not keep a small one of another customer from being sent to the account", async () => {
    const traffic = new Traffic(new Provider());
    const { gate } = traffic;
    traffic.start({ name: "big", callers: 7, tokens: 15_000, pauseMs: 60_000 });
    await seconds(1);
    const call = (flow: string, tokens: number, kind: EnvironmentKind = "production") =>
      gate.isOpen(owner, { kind, flow, tokens });
    expect([call("small", 50), call("small", 12_000), call("big", 50)]).toEqual([
      true,
      false,
      false,
    ]);
    // What matters less waits for it.
    expect(call("small", 50, "development")).toBe(false);
    await traffic.end();
  });

  it("keeps nothing free that it cannot have before the reset", async () => {
    const traffic = new Traffic(new Provider(9_000));
    const big = traffic.start({ name: "big", callers: 6, tokens: 40_000, pauseMs: 0 });
    // Of production's first calls nothing is held back: the first answers tell of the limit.
    await seconds(1);
    traffic.provider.refused = 0;
    const small = traffic.start({ name: "small", callers: 4, tokens: 100, pauseMs: 250 });
    await seconds(90);
    expect([small.refused, traffic.provider.refused]).toEqual([0, 0]);
    expect(Math.max(...small.waitsMs)).toBeLessThan(2_000);
    // Two of it fit into each window.
    expect(big.calls).toBeGreaterThanOrEqual(18);
    await traffic.end();
  });
});
