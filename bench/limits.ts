/**
 * What limits cost a call: CPU time of admitting it and of settling it, all threads of the process counted, on a real
 * SQLite file. Calls come at a steady rate, as they would from a server; nothing is sent anywhere.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { EnvironmentId, GatewayKeyId, LimitId, ProjectId } from "../src/core/ids/ids.ts";
import type { Limit } from "../src/core/limits/limit.ts";
import type { LimitedCall, LimitUseSink } from "../src/ledger/limits.ts";
import { SharedLimits } from "../src/ledger/limits/shared-limits.ts";
import { SqliteStore } from "../src/store/sqlite/sqlite-store.ts";

const CALLS_A_SECOND = 2_000;
const SECONDS = 6;
const WARM_UP_SECONDS = 4;
const TURN_MS = 5;
const IN_FLIGHT = 32;

const CALL: LimitedCall = {
  projectId: "prj_1" as ProjectId,
  environmentId: "env_1" as EnvironmentId,
  gatewayKeyId: "key_1" as GatewayKeyId,
  customer: "acme",
  feature: null,
  providerAccountId: null,
  tokens: 1_500,
};

const NONE: readonly Limit[] = [];
const PLENTY = limitsOf({ requests: 10_000_000, tokens: 1e11, concurrency: 1_000 });
const SCARCE = limitsOf({ requests: 6_000, tokens: 1e11, concurrency: 1_000 });

/** One limit on all calls, one on each customer, one on each key. */
function limitsOf(amounts: {
  readonly requests: number;
  readonly tokens: number;
  readonly concurrency: number;
}): readonly Limit[] {
  const none = { requestsPerMinute: null, tokensPerMinute: null, concurrency: null };
  return [
    {
      ...none,
      id: "lim_1" as LimitId,
      scope: { kind: "organization", id: null },
      requestsPerMinute: amounts.requests,
      tokensPerMinute: amounts.tokens,
    },
    {
      ...none,
      id: "lim_2" as LimitId,
      scope: { kind: "customer", id: null },
      requestsPerMinute: amounts.requests,
    },
    {
      ...none,
      id: "lim_3" as LimitId,
      scope: { kind: "key", id: null },
      concurrency: amounts.concurrency,
    },
  ];
}

interface Figures {
  readonly cpuMicros: number;
  readonly admitted: number;
  readonly calls: number;
  readonly atOnce: number;
  readonly tripsPerSecond: number;
}

async function measure(store: SqliteStore, limits: readonly Limit[]): Promise<Figures> {
  let trips = 0;
  const uses: LimitUseSink = {
    change: (keys, decide) => {
      trips += 1;
      return store.limitUses.change(keys, decide);
    },
    removeIdle: (limit) => store.limitUses.removeIdle(limit),
  };
  const shared = new SharedLimits({
    uses,
    processId: "prc_1",
    monotonicMs: () => performance.now(),
    log: { info: () => undefined, warn: () => undefined },
  });
  shared.apply(
    limits.map(({ id }) => id),
    limits,
  );
  const ticks = setInterval(() => shared.tick(), 100);
  await run(shared, WARM_UP_SECONDS);
  trips = 0;
  const before = process.cpuUsage();
  const { calls, admitted, atOnce } = await run(shared, SECONDS);
  const used = process.cpuUsage(before);
  clearInterval(ticks);
  await shared.close();
  return {
    cpuMicros: (used.user + used.system) / calls,
    admitted,
    calls,
    atOnce,
    tripsPerSecond: trips / SECONDS,
  };
}

async function run(shared: SharedLimits, seconds: number) {
  const startMs = performance.now();
  const ending: (() => void)[] = [];
  let [calls, admitted, atOnce] = [0, 0, 0];
  while (performance.now() - startMs < seconds * 1_000) {
    const due = Math.floor(((performance.now() - startMs) * CALLS_A_SECOND) / 1_000);
    for (; calls < due; calls += 1) {
      const decided = shared.admit(CALL);
      if (!(decided instanceof Promise)) atOnce += 1;
      const decision = decided instanceof Promise ? await decided : decided;
      if (decision?.isAdmitted !== false) admitted += 1;
      if (decision?.isAdmitted !== true) continue;
      ending.push(() => {
        decision.spend(1_200);
        decision.end();
      });
      if (ending.length > IN_FLIGHT) ending.shift()?.();
    }
    await new Promise((resolve) => {
      setTimeout(resolve, TURN_MS);
    });
  }
  for (const end of ending) end();
  return { calls, admitted, atOnce };
}

const directory = await mkdtemp(join(tmpdir(), "keyward-bench-limits-"));
const store = new SqliteStore({ path: join(directory, "keyward.db") });
await store.migrate();
const rows = [];
for (const [name, limits] of [
  ["no limit", NONE],
  ["three limits, plenty left", PLENTY],
  ["no limit", NONE],
  ["three limits, one reached", SCARCE],
] as const) {
  const { cpuMicros, calls, admitted, atOnce, tripsPerSecond } = await measure(store, limits);
  rows.push({
    limits: name,
    "CPU µs per call": Number(cpuMicros.toFixed(2)),
    calls,
    admitted,
    "decided at once": `${((atOnce * 100) / calls).toFixed(2)} %`,
    "trips per second": Number(tripsPerSecond.toFixed(1)),
  });
}
process.stdout.write(`${JSON.stringify(rows, null, 2)}\n`);
await store.close();
await rm(directory, { recursive: true });
