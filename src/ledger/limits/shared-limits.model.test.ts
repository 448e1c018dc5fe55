import { env } from "node:process";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MemoryLimitUses } from "../../../test/support/memory-limit-uses.ts";
import type { EnvironmentId, GatewayKeyId, LimitId, ProjectId } from "../../core/ids/ids.ts";
import type { Limit } from "../../core/limits/limit.ts";
import type { Admission, LimitedCall } from "../limits.ts";
import { SharedLimits } from "./shared-limits.ts";

const START_MS = 1_800_000_000_000;
const WINDOW_MS = 60_000;
/** Time is the model's: a machine that is slow must not look like a store that is away. */
const NEVER_MS = 2 ** 31 - 1;
const PROCESSES = 3;

const CALL: LimitedCall = {
  projectId: "prj_1" as ProjectId,
  environmentId: "env_1" as EnvironmentId,
  gatewayKeyId: "key_1" as GatewayKeyId,
  customer: null,
  feature: null,
  providerAccountId: null,
  tokens: 0,
};

type Step =
  | { readonly kind: "burst"; readonly process: number; readonly count: number; tokens: number }
  /** Demand for a while: so many calls every 200 ms, which end after a time. */
  | {
      readonly kind: "demand";
      readonly process: number;
      readonly calls: number;
      readonly turns: number;
      readonly tokens: number;
      readonly lastingTurns: number;
    }
  | { readonly kind: "pass"; readonly ms: number }
  | { readonly kind: "end"; readonly share: number; readonly spentPercent: number }
  | { readonly kind: "cancel"; readonly share: number }
  | { readonly kind: "crash"; readonly process: number }
  | { readonly kind: "limit"; readonly limit: Amounts }
  | { readonly kind: "road"; readonly beforeMs: number; readonly afterMs: number }
  | { readonly kind: "storeClock"; readonly backMs: number };

type Amounts = Pick<Limit, "requestsPerMinute" | "tokensPerMinute" | "concurrency">;

const process = fc.nat(PROCESSES - 1);
const someTokens = fc.nat(50);
const percent = fc.nat(100);
const kind = <const Kind extends string>(name: Kind) => fc.constant(name);
const amounts: fc.Arbitrary<Amounts> = fc.record({
  requestsPerMinute: fc.option(fc.integer({ min: 1, max: 60 })),
  tokensPerMinute: fc.option(fc.integer({ min: 10, max: 600 })),
  concurrency: fc.option(fc.integer({ min: 1, max: 60 })),
});
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ kind: kind("burst"), process, count: fc.nat(60), tokens: someTokens }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: kind("demand"),
      process,
      calls: fc.integer({ min: 1, max: 3 }),
      turns: fc.nat(40),
      tokens: someTokens,
      lastingTurns: fc.nat(10),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: kind("pass"),
      ms: fc.oneof(fc.nat(500), fc.nat(12_000), fc.integer({ min: 45_000, max: 63_000 })),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: kind("end"), share: percent, spentPercent: percent }),
  },
  { weight: 1, arbitrary: fc.record({ kind: kind("cancel"), share: percent }) },
  { weight: 1, arbitrary: fc.record({ kind: kind("crash"), process }) },
  { weight: 1, arbitrary: fc.record({ kind: kind("limit"), limit: amounts }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: kind("road"),
      beforeMs: fc.constantFrom(0, 0, 200, 400, 800),
      afterMs: fc.constantFrom(0, 0, 200, 400, 800),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: kind("storeClock"), backMs: fc.nat(200_000) }),
  },
);

interface Admitted {
  readonly process: number;
  readonly atMs: number;
  readonly admission: Admission;
  /** Taken, then used. */
  tokens: number;
  isCounted: boolean;
  isRunning: boolean;
}

/** The world that gateways live in: one time, a store whose clock may step back, and slow roads to it. */
class World {
  nowMs = 0;
  storeAheadMs = 0;
  readonly most = new Most();
  road = { beforeMs: 0, afterMs: 0 };
  limit: Limit = {
    id: "lim_1" as LimitId,
    scope: { kind: "organization", id: null },
    requestsPerMinute: 20,
    tokensPerMinute: 400,
    concurrency: 15,
  };
  readonly calls: Admitted[] = [];
  readonly uses = new MemoryLimitUses(() => START_MS + this.nowMs + this.storeAheadMs);
  readonly gateways: SharedLimits[] = [];
  #started = 0;
  readonly #sleepers: { readonly untilMs: number; readonly wake: () => void }[] = [];

  constructor() {
    this.uses.road = () => ({
      before: this.#sleep(this.road.beforeMs),
      after: this.#sleep(this.road.beforeMs + this.road.afterMs),
    });
    for (let i = 0; i < PROCESSES; i += 1) this.start(i);
  }

  start(index: number): void {
    this.#started += 1;
    const processId = `prc_${this.#started}`;
    for (const [old, id] of this.#ids) if (old === index) this.uses.running.delete(id);
    this.#ids.set(index, processId);
    this.uses.running.add(processId);
    const log = { info: () => undefined, warn: () => undefined };
    const gateway = new SharedLimits({
      uses: this.uses,
      processId,
      monotonicMs: () => this.nowMs,
      log,
      answerDeadlineMs: NEVER_MS,
      pause: (ms, signal) => this.#pause(ms, signal),
    });
    gateway.apply([this.limit.id], [this.limit]);
    this.gateways[index] = gateway;
  }

  readonly #ids = new Map<number, string>();

  changeTo(limit: Amounts): void {
    this.limit = { ...this.limit, ...limit };
    for (const gateway of this.gateways) gateway.apply([this.limit.id], [this.limit]);
  }

  async pass(ms: number): Promise<void> {
    const untilMs = this.nowMs + ms;
    while (this.nowMs < untilMs) {
      this.nowMs = Math.min(untilMs, this.nowMs + 200);
      await this.turn();
    }
  }

  async turn(): Promise<void> {
    for (const gateway of this.gateways) gateway.tick();
    for (let i = 0; i < 4; i += 1) {
      const awake = this.#sleepers.filter(({ untilMs }) => untilMs <= this.nowMs);
      for (const sleeper of awake) {
        this.#sleepers.splice(this.#sleepers.indexOf(sleeper), 1);
        sleeper.wake();
      }
      await new Promise(setImmediate);
    }
  }

  #sleep(ms: number): Promise<void> {
    if (ms === 0) return Promise.resolve();
    return new Promise((wake) => {
      this.#sleepers.push({ untilMs: this.nowMs + ms, wake });
    });
  }

  #pause(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((wake) => {
      signal.addEventListener("abort", () => wake());
      this.#sleepers.push({ untilMs: this.nowMs + ms, wake });
    });
  }

  call(index: number, tokens: number): void {
    const gateway = this.gateways[index];
    const admit = async (): Promise<void> => {
      const askedAtMs = this.nowMs;
      const answer = gateway?.admit({ ...CALL, tokens });
      const decision = await answer;
      // Its process may have died while it waited.
      if (decision?.isAdmitted !== true || gateway !== this.gateways[index]) return;
      this.calls.push({
        process: index,
        // What is decided at once is decided now, though the world goes on before this is reached.
        atMs: answer instanceof Promise ? this.nowMs : askedAtMs,
        admission: decision,
        // A call that is larger than the limit counts as all of it: of the limit that it was admitted under.
        tokens: Math.min(tokens, this.limit.tokensPerMinute ?? 0),
        isCounted: true,
        isRunning: true,
      });
    };
    void admit();
  }
}

/** The largest sum over any 60 seconds. */
function mostInAWindow(world: World, amountOf: (call: Admitted) => number): number {
  const counted = world.calls.filter(({ isCounted }) => isCounted);
  let most = 0;
  for (const { atMs } of counted) {
    let sum = 0;
    for (const other of counted) {
      if (other.atMs >= atMs && other.atMs < atMs + WINDOW_MS) sum += amountOf(other);
    }
    most = Math.max(most, sum);
  }
  return most;
}

/** What the limit has been at most; without one there is nothing to hold. */
class Most {
  readonly #seen: Amounts[] = [];

  see(seen: Amounts): void {
    this.#seen.push(seen);
  }

  of(name: keyof Amounts): number {
    return Math.max(...this.#seen.map((one) => one[name] ?? Number.POSITIVE_INFINITY));
  }
}

async function take(world: World, one: Step): Promise<void> {
  const running = world.calls.filter(({ isRunning }) => isRunning);
  if (one.kind === "burst") {
    for (let i = 0; i < one.count; i += 1) world.call(one.process, one.tokens);
    await world.turn();
  } else if (one.kind === "demand") {
    for (let turn = 0; turn < one.turns; turn += 1) {
      for (let i = 0; i < one.calls; i += 1) world.call(one.process, one.tokens);
      await world.pass(200);
      const before = world.nowMs - one.lastingTurns * 200;
      for (const call of world.calls) {
        if (call.isRunning && call.atMs < before) end(call, 100);
      }
      check(world);
    }
  } else if (one.kind === "pass") await world.pass(one.ms);
  else if (one.kind === "end" || one.kind === "cancel") {
    for (const call of running.slice(0, Math.ceil((running.length * one.share) / 100))) {
      if (one.kind === "end") end(call, one.spentPercent);
      else {
        call.isRunning = false;
        call.isCounted = false;
        call.admission.cancel();
      }
    }
  } else if (one.kind === "crash") {
    world.start(one.process);
    for (const call of world.calls) if (call.process === one.process) call.isRunning = false;
  } else if (one.kind === "limit") {
    world.changeTo(one.limit);
    world.most.see(one.limit);
  } else if (one.kind === "road") world.road = one;
  else world.storeAheadMs -= one.backMs;
}

function end(call: Admitted, spentPercent: number): void {
  call.isRunning = false;
  call.tokens = Math.floor((call.tokens * spentPercent) / 100);
  call.admission.spend(call.tokens);
  call.admission.end();
}

function check(world: World): void {
  const inFlight = world.calls.filter(({ isRunning }) => isRunning).length;
  expect(inFlight).toBeLessThanOrEqual(world.most.of("concurrency"));
}

async function run(limit: Amounts, steps: readonly Step[]): Promise<void> {
  const world = new World();
  world.changeTo(limit);
  world.most.see(limit);
  for (const one of steps) {
    await take(world, one);
    check(world);
  }
  world.road = { beforeMs: 0, afterMs: 0 };
  await world.pass(1_000);
  check(world);
  expect(mostInAWindow(world, () => 1)).toBeLessThanOrEqual(world.most.of("requestsPerMinute"));
  const tokensUsed = mostInAWindow(world, (call) => call.tokens);
  expect(tokensUsed).toBeLessThanOrEqual(world.most.of("tokensPerMinute"));
}

describe("limits over several processes, whatever happens", () => {
  it("never admit more in any 60 seconds, nor let more be in flight, than the limit has been", async () => {
    await fc.assert(
      fc.asyncProperty(amounts, fc.array(step, { minLength: 5, maxLength: 30 }), run),
      {
        numRuns: Number(env["KEYWARD_MODEL_RUNS"] ?? 60),
      },
    );
  });

  it("come back to nothing taken when every call has ended, and then admit the whole limit again", async () => {
    const world = new World();
    for (let round = 0; round < 5; round += 1) {
      for (let i = 0; i < PROCESSES; i += 1) {
        for (let n = 0; n < 10; n += 1) world.call(i, 10);
      }
      await world.pass(3_000);
      for (const call of world.calls.filter(({ isRunning }) => isRunning)) {
        call.isRunning = false;
        call.admission.spend(round * 7);
        call.admission.end();
      }
    }
    await world.pass(75_000);
    for (let n = 0; n < 100; n += 1) world.call(n % PROCESSES, 1);
    await world.pass(4_000);
    const running = world.calls.filter(({ isRunning }) => isRunning);
    expect(running).toHaveLength(15);
    for (const { admission } of running) admission.cancel();
    await world.pass(15_000);
    const [use] = world.uses.uses.values();
    expect(use).toMatchObject({ requests: [], tokens: [], slots: {} });
  });
});
