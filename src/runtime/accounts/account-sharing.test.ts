/** Several processes on one account, by a clock that the test drives, with a provider that counts and refuses. */
import * as fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { MemoryAccountViews } from "../../../test/support/memory-account-views.ts";
import type { EnvironmentKind } from "../../core/environments/environment.ts";
import type { ProcessId, ProviderAccountId } from "../../core/ids/ids.ts";
import { DEFAULT_CIRCUIT_RULE } from "../../core/routing/circuit.ts";
import { AccountGate } from "../../proxy/account-gate.ts";
import { HeaderFields } from "../../proxy/http/header-fields.ts";
import { RouteHealth } from "../../proxy/route-health.ts";
import type { Log } from "../../telemetry/log.ts";
import { AccountSharing } from "./account-sharing.ts";

const accountId = "acc_shared" as ProviderAccountId;
const owner = { accountId, model: "gpt-4o" };
const silent = (): void => undefined;
const log: Log = { debug: silent, info: silent, warn: silent, error: silent };

/** Counts in windows; what it answers stands from when the call came, however late the answer does. */
class Provider {
  readonly #limit: number;
  #endsAtMs = 0;
  #used = 0;
  refused = 0;
  readonly mostUsed: number[] = [];

  readonly #windowMs: number;

  constructor(limit: number, windowMs = 60_000) {
    this.#limit = limit;
    this.#windowMs = windowMs;
  }

  take(nowMs: number): { readonly status: number; readonly headers: Record<string, string> } {
    if (nowMs >= this.#endsAtMs) {
      this.#endsAtMs = nowMs + this.#windowMs;
      this.#used = 0;
      this.mostUsed.push(0);
    }
    const isRefused = this.#used >= this.#limit;
    if (isRefused) this.refused += 1;
    else this.#used += 1;
    this.mostUsed[this.mostUsed.length - 1] = this.#used;
    const headers = {
      "x-ratelimit-limit-requests": String(this.#limit),
      "x-ratelimit-remaining-requests": String(this.#limit - this.#used),
      "x-ratelimit-reset-requests": `${this.#endsAtMs - nowMs}ms`,
    };
    return { status: isRefused ? 429 : 200, headers };
  }
}

function startProcess(name: string, views: MemoryAccountViews, clockAheadMs = 0) {
  const id = `prc_${name}` as ProcessId;
  const monotonicMs = (): number => performance.now() + clockAheadMs;
  const gate = new AccountGate({
    maxWaitMs: 100_000,
    maxCalls: 1_000,
    monotonicMs,
    nowMs: Date.now,
    log,
  });
  const routeHealth = new RouteHealth({ rule: DEFAULT_CIRCUIT_RULE, monotonicMs, log });
  const processes = {
    listRunning: async () =>
      [...views.running].map((running) => ({ id: running as ProcessId, silentForMs: 0 })),
  };
  views.running.add(id);
  const deps = { views, processes, gate, routeHealth, processId: id, monotonicMs, log };
  const sharing = new AccountSharing(deps);
  sharing.start();
  return { gate, sharing, routeHealth };
}

type Process = ReturnType<typeof startProcess>;

/** Makes a call as the data plane does; how long it waited, or that it was refused. */
async function call(
  { gate }: Process,
  provider: Provider,
  given: { readonly kind: EnvironmentKind; readonly answerMs: number },
): Promise<{ readonly waitedMs: number; readonly wasSent: boolean }> {
  const startedAtMs = performance.now();
  const entered = gate.enter(owner, { kind: given.kind, flow: given.kind, tokens: 10 });
  const { ticket } = "outcome" in entered ? await entered.outcome : entered;
  const waitedMs = performance.now() - startedAtMs;
  if (ticket === undefined) return { waitedMs, wasSent: false };
  await pass(10);
  const head = provider.take(performance.now());
  await pass(given.answerMs);
  ticket.answered({ ...head, headers: HeaderFields.from(head.headers) });
  return { waitedMs, wasSent: true };
}

function pass(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}

beforeEach(() => {
  vi.useFakeTimers({ now: 1_800_000_000_000 });
});

afterEach(() => {
  vi.useRealTimers();
});

describe("an account that several processes use", () => {
  it("is never sent more than it allows by all of them together, whenever they call and answers come", async () => {
    const schedule = fc.record({
      limit: fc.integer({ min: 10, max: 60 }),
      delayMs: fc.integer({ min: 0, max: 40 }),
      calls: fc.array(
        fc.record({
          process: fc.integer({ min: 0, max: 2 }),
          kind: fc.constantFrom("production" as const, "staging" as const, "development" as const),
          afterMs: fc.integer({ min: 0, max: 300 }),
          count: fc.integer({ min: 1, max: 20 }),
          answerMs: fc.integer({ min: 1, max: 700 }),
        }),
        { minLength: 1, maxLength: 15 },
      ),
    });
    await fc.assert(
      fc.asyncProperty(schedule, async ({ limit, delayMs, calls }) => {
        const views = new MemoryAccountViews(
          () => Date.now() - 123_456,
          () => delayMs,
        );
        const processes = ["a", "b", "c"].map((name, i) => startProcess(name, views, i * 10_000));
        const provider = new Provider(limit, 5_000);
        await vi.advanceTimersByTimeAsync(2_500);
        // The first answer tells of the limit.
        const [first] = processes;
        if (first === undefined) throw new Error("there are three");
        void call(first, provider, { kind: "production", answerMs: 10 });
        await vi.advanceTimersByTimeAsync(2_500);
        const ends: Promise<unknown>[] = [];
        for (const { process, afterMs, count, ...one } of calls) {
          await vi.advanceTimersByTimeAsync(afterMs);
          const caller = processes[process] ?? first;
          for (let i = 0; i < count; i += 1) ends.push(call(caller, provider, one));
        }
        await vi.advanceTimersByTimeAsync(15_000);
        for (const { gate } of processes) gate.close();
        const stopped = [...ends, ...processes.map(({ sharing }) => sharing.stop())];
        await vi.advanceTimersByTimeAsync(2_000);
        await Promise.all(stopped);
        expect(provider.refused).toBe(0);
      }),
      // Not made smaller: that takes minutes, in which nothing is seen of what failed. The seed brings it back.
      { numRuns: 30, endOnFailure: true },
    );
  });

  it("serves production first while the burst of development is in another process", async () => {
    const views = new MemoryAccountViews(Date.now, () => 2);
    const [burst, live] = [startProcess("burst", views), startProcess("live", views)];
    const provider = new Provider(60);
    await vi.advanceTimersByTimeAsync(2_500);
    const development = Array.from({ length: 150 }, () =>
      call(burst, provider, { kind: "development", answerMs: 200 }),
    );
    await vi.advanceTimersByTimeAsync(5_000);
    // Development has what it may have, and no more of it is sent before the window ends.
    expect(provider.mostUsed).toEqual([48]);
    const production: ReturnType<typeof call>[] = [];
    for (let i = 0; i < 12; i += 1) {
      production.push(call(live, provider, { kind: "production", answerMs: 200 }));
      await vi.advanceTimersByTimeAsync(500);
    }
    const waits = (await Promise.all(production)).map(({ waitedMs }) => waitedMs);
    expect(Math.max(...waits)).toBeLessThan(200);
    expect(provider.mostUsed).toEqual([60]);
    // More of production than is left comes first in the next window, before the hundred that wait elsewhere.
    const more = Array.from({ length: 20 }, () =>
      call(live, provider, { kind: "production", answerMs: 200 }),
    );
    await vi.advanceTimersByTimeAsync(51_000);
    const sent = (await Promise.all(more)).filter(({ wasSent }) => wasSent);
    expect(sent).toHaveLength(20);
    await vi.advanceTimersByTimeAsync(120_000);
    await Promise.all(development);
    expect(provider.refused).toBe(0);
  });

  it("is known to all to have asked for time when one of them was told so", async () => {
    const views = new MemoryAccountViews(
      () => Date.now() + 999_999,
      () => 2,
    );
    const [first, second] = [startProcess("first", views), startProcess("second", views)];
    await vi.advanceTimersByTimeAsync(1_000);
    const entered = first.gate.enter(owner, { kind: "production", flow: "", tokens: 1 });
    if (!("ticket" in entered)) throw new Error("it waits");
    entered.ticket?.answered({ status: 429, headers: HeaderFields.from({ "retry-after": "20" }) });
    const route = { accountId, keyId: "pky_1" } as Parameters<RouteHealth["rest"]>[0];
    const scope = { owner: "account", calls: "every", model: null } as const;
    first.routeHealth.rest(route, scope, { reason: "out_of_money", forMs: 9_000, isNamed: false });
    await vi.advanceTimersByTimeAsync(600);
    const isOpen = (): boolean =>
      second.gate.isOpen(owner, { kind: "production", flow: "", tokens: 1 });
    expect(isOpen()).toBe(false);
    expect(second.routeHealth.restOf(route, "gpt-4o", performance.now())).toMatchObject({
      reason: "out_of_money",
      isNamed: false,
    });
    await vi.advanceTimersByTimeAsync(19_000);
    expect(isOpen()).toBe(false);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(isOpen()).toBe(true);
    expect(second.routeHealth.restOf(route, "gpt-4o", performance.now())).toBeUndefined();
  });

  it("is used on while the store is away, and by what is granted again when it is back", async () => {
    const views = new MemoryAccountViews(Date.now, () => 2);
    const [first, second] = [startProcess("first", views), startProcess("second", views)];
    const provider = new Provider(1_000);
    await vi.advanceTimersByTimeAsync(2_500);
    views.isAway = true;
    const calls = Array.from({ length: 100 }, (_, i) =>
      call(i % 2 === 0 ? first : second, provider, { kind: "production", answerMs: 50 }),
    );
    await vi.advanceTimersByTimeAsync(3_000);
    expect((await Promise.all(calls)).every(({ wasSent }) => wasSent)).toBe(true);
    views.isAway = false;
    await vi.advanceTimersByTimeAsync(3_000);
    const before = views.changes;
    const more = Array.from({ length: 100 }, (_, i) =>
      call(i % 2 === 0 ? first : second, provider, { kind: "production", answerMs: 50 }),
    );
    await vi.advanceTimersByTimeAsync(3_000);
    expect((await Promise.all(more)).every(({ wasSent }) => wasSent)).toBe(true);
    expect(views.changes).toBeGreaterThan(before);
    expect(provider.refused).toBe(0);
  });

  it("costs a process that is alone nothing but a look whether it is", async () => {
    const views = new MemoryAccountViews(Date.now, () => 2);
    const alone = startProcess("alone", views);
    const provider = new Provider(60);
    for (let i = 0; i < 30; i += 1) {
      void call(alone, provider, { kind: "production", answerMs: 50 });
      await vi.advanceTimersByTimeAsync(500);
    }
    expect([views.changes, views.reads]).toEqual([0, 0]);
    const joining = startProcess("joining", views);
    await vi.advanceTimersByTimeAsync(2_500);
    // What the one was told the other knows before its first call.
    const [use] = joining.gate.listUses();
    expect(use).toMatchObject({ of: "requests", used: 30, limit: 60 });
    // And what a process that died had set aside is free again.
    views.running.delete("prc_alone");
    for (let i = 0; i < 29; i += 1)
      void call(joining, provider, { kind: "production", answerMs: 50 });
    await vi.advanceTimersByTimeAsync(3_000);
    expect(provider.mostUsed).toEqual([59]);
  });
});
