/**
 * The way of a charge that comes later, all of it real but the journal: a client's call through the data plane, its event
 * flushed into SQLite, and the collector that asks the upstream.
 */
import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import OpenAI from "openai";
import { afterEach } from "vitest";
import { IdFactory, type ProviderAccountId, type ProviderKeyId } from "../../src/core/ids/ids.ts";
import { createAllowedHosts } from "../../src/core/network/allowed-hosts.ts";
import { BUILT_IN_PRICE_LIST } from "../../src/core/pricing/built-in-price-list.ts";
import { createPriceBook } from "../../src/core/pricing/create-price-book.ts";
import type { UsageEvent } from "../../src/core/usage/usage-event.ts";
import { simulatorProvider } from "../../src/providers/simulator/simulator-provider.ts";
import type { ProviderRoute } from "../../src/proxy/snapshot.ts";
import { createGuardedAgent } from "../../src/proxy/upstream.ts";
import { startUsageCollector } from "../../src/runtime/deferred/usage-collector.ts";
import { createProviders } from "../../src/runtime/providers.ts";
import type { PendingUsageRecord } from "../../src/store/records.ts";
import { SqliteStore } from "../../src/store/sqlite/sqlite-store.ts";
import type { CallReport } from "../../src/telemetry/call-observer.ts";
import type { Log } from "../../src/telemetry/log.ts";
import { routeTo, startDataPlane, type DataPlane } from "./data-plane.ts";
import { writeMigratedDatabase } from "./migrated-database.ts";
import { until } from "./poll.ts";
import { startUpstream, type Respond, type Upstream } from "./upstream.ts";

export const ACCOUNT = "acc_ours" as ProviderAccountId;
export const KEY = "pky_ours" as ProviderKeyId;

interface LogLine {
  readonly level: string;
  readonly message: string;
}

export interface CollectorUnderTest {
  readonly upstream: Upstream;
  readonly gateway: DataPlane;
  readonly client: OpenAI;
  readonly store: SqliteStore;
  /** The ways of the environment; a test may change them. */
  readonly routes: ProviderRoute[];
  readonly reports: readonly CallReport[];
  readonly logged: readonly LogLine[];
  /** What is added to the time. */
  aheadMs: number;
  /** One more process on the same database, from now on. */
  collect(options?: { readonly leaseMs?: number }): { stop(): Promise<void> };
  /** What a process does every 200 ms: the calls' events go to the store. */
  flush(): Promise<void>;
  /** All of them, oldest first. */
  events(): Promise<readonly UsageEvent[]>;
  /** Those that charge what came later. */
  charges(): Promise<readonly UsageEvent[]>;
  pending(): Promise<readonly PendingUsageRecord[]>;
  /** Until nothing is waited for any more; what was given up is not waited for. */
  settled(): Promise<void>;
}

export interface CollectorFixture {
  readonly start: (respond: Respond) => Promise<CollectorUnderTest>;
}

/** For the top of a test file; what a test starts is closed after it. */
export function collectorFixture(): CollectorFixture {
  const closers: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const close of closers.splice(0).toReversed()) await close();
  });
  return {
    start: async (respond) => {
      const upstream = await startUpstream(respond);
      closers.push(() => upstream.close());
      const directory = await mkdtemp(join(tmpdir(), "keyward-collector-"));
      closers.push(() => rm(directory, { recursive: true }));
      const path = join(directory, "keyward.db");
      await writeMigratedDatabase(path);
      const store = new SqliteStore({ path, isInline: true });
      closers.push(() => store.close());
      const routes = [routeTo(upstream.url, { accountId: ACCOUNT, keyId: KEY })];
      const routing = { routes, rules: [], unpricedPolicy: "allow_and_alert" } as const;
      const gateway = await startDataPlane({ upstreamUrl: upstream.url, routing });
      closers.push(() => gateway.close());
      return createUnderTest({ upstream, gateway, store, routes, closers });
    },
  };
}

function createUnderTest(parts: {
  readonly upstream: Upstream;
  readonly gateway: DataPlane;
  readonly store: SqliteStore;
  readonly routes: ProviderRoute[];
  readonly closers: (() => Promise<void>)[];
}): CollectorUnderTest {
  const { upstream, gateway, store, routes, closers } = parts;
  const dispatcher = createGuardedAgent({
    connectTimeoutMs: 2_000,
    headersTimeoutMs: 10_000,
    bodyIdleTimeoutMs: 10_000,
    allowedHosts: createAllowedHosts(["127.0.0.1"]),
  });
  closers.push(() => dispatcher.destroy());
  const reports: CallReport[] = [];
  const { log, logged } = createMemoryLog();
  let flushed = 0;
  const underTest: CollectorUnderTest = {
    upstream,
    gateway,
    store,
    routes,
    reports,
    logged,
    client: new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: gateway.key, maxRetries: 0 }),
    aheadMs: 0,
    collect: (options = {}) => {
      const collector = startUsageCollector({
        store,
        snapshot: {
          routingOf: async () => ({ routes, rules: [], unpricedPolicy: "allow_and_alert" }),
        },
        upstream: dispatcher,
        providers: createProviders(simulatorProvider),
        priceBook: createPriceBook(BUILT_IN_PRICE_LIST),
        ids: new IdFactory({ nowMs: Date.now, randomBytes }),
        observer: { callEnded: (report) => void reports.push(report) },
        log,
        nowMs: () => Date.now() + underTest.aheadMs,
        random: () => 0.5,
        tickMs: 5,
        ...options,
      });
      closers.push(() => collector.stop());
      return collector;
    },
    flush: async () => {
      await until("every call is settled", () => gateway.intents.length === gateway.events.length);
      const events = gateway.events.slice(flushed);
      flushed += events.length;
      await store.usage.insertBatch({ events, refusals: [] });
    },
    events: async () => (await store.usage.listEvents({ limit: 1000 })).rows.toReversed(),
    charges: async () => {
      const events = await underTest.events();
      return events.filter(({ operation }) => operation.endsWith(".deferred"));
    },
    pending: async () => (await store.pendingUsage.list({ limit: 100 })).rows,
    settled: async () => {
      await until("nothing is waited for", async () => {
        const { rows } = await store.pendingUsage.list({ limit: 1 }, { state: "waiting" });
        return rows.length === 0;
      });
    },
  };
  return underTest;
}

function createMemoryLog(): { readonly log: Log; readonly logged: readonly LogLine[] } {
  const logged: LogLine[] = [];
  const at = (level: string) => (_fields: unknown, message: string) =>
    void logged.push({ level, message });
  const log = { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
  return { log, logged };
}
