/** The data plane on its own: a real server and real upstream connections, with keys, prices and ledger in memory. */
import { randomBytes } from "node:crypto";
import { DEFAULT_BOUND_CEILINGS } from "../../src/core/budgets/worst-case.ts";
import {
  IdFactory,
  type EnvironmentId,
  type GatewayKeyId,
  type ProjectId,
} from "../../src/core/ids/ids.ts";
import { createGatewayKey, hashGatewayKey } from "../../src/core/keys/gateway-key.ts";
import { createAllowedHosts } from "../../src/core/network/allowed-hosts.ts";
import type { ClientAddressHeader } from "../../src/core/network/client-address.ts";
import { createIpRanges } from "../../src/core/network/ip-ranges.ts";
import type { CallPolicy } from "../../src/core/policy/call-policy.ts";
import { BUILT_IN_PRICE_LIST } from "../../src/core/pricing/built-in-price-list.ts";
import { createPriceBook } from "../../src/core/pricing/create-price-book.ts";
import { DEFAULT_CIRCUIT_RULE, type CircuitRule } from "../../src/core/routing/circuit.ts";
import type { CallIntent, UsageEvent } from "../../src/core/usage/usage-event.ts";
import type { HoldBook } from "../../src/ledger/holds.ts";
import type { Ledger } from "../../src/ledger/ledger.ts";
import type { Limits } from "../../src/ledger/limits.ts";
import { openaiProvider } from "../../src/providers/openai/openai-provider.ts";
import type { Provider } from "../../src/providers/provider.ts";
import { AccountGate } from "../../src/proxy/account-gate.ts";
import { BodyBudget } from "../../src/proxy/body-budget.ts";
import { ClientTokenBook } from "../../src/proxy/client-token-book.ts";
import type { FailoverLimits } from "../../src/proxy/failover.ts";
import type { LookUp } from "../../src/proxy/guarded-connector.ts";
import type { ConnectionLimits } from "../../src/proxy/http/connection-limits.ts";
import { PolicyWatch } from "../../src/proxy/policy-watch.ts";
import { RouteHealth } from "../../src/proxy/route-health.ts";
import { createGatewayListener, type GatewayListener } from "../../src/proxy/server.ts";
import {
  DEFAULT_SNAPSHOT_LIMITS,
  Snapshot,
  type EnvironmentRouting,
  type KeyEntry,
  type ProviderRoute,
} from "../../src/proxy/snapshot.ts";
import { createUpstream } from "../../src/proxy/upstream.ts";
import type { CallObserver, CallReport, RefusalReport } from "../../src/telemetry/call-observer.ts";
import type { Log } from "../../src/telemetry/log.ts";
import type { Tracing } from "../../src/telemetry/trace-context.ts";
import type { Tokenizer } from "../../src/tokenizer/tokenizer.ts";
import { serveHandler } from "./serve-handler.ts";

export const PROVIDER_SECRET = ["sk", "test", "provider", "secret"].join("-");

const NO_LIMITS: Limits = {
  isEmpty: true,
  admit: () => undefined,
  admitToAccount: () => undefined,
};

export interface DataPlane {
  readonly url: string;
  readonly key: string;
  readonly gateway: GatewayListener;
  readonly intents: readonly CallIntent[];
  readonly events: readonly UsageEvent[];
  readonly refusals: readonly { code: string; customer: string | null }[];
  readonly logged: readonly unknown[];
  readonly bodyBudget: BodyBudget;
  /** What observers were told. */
  readonly reports: { readonly ended: CallReport[]; readonly refused: RefusalReport[] };
  /** Makes the journal refuse, as a full disk does. */
  isJournalBroken: boolean;
  /** What of its store a test changes while it runs; `refresh` tells of it. */
  readonly changes: StoreChanges;
  /** Tells the data plane that a provider key and the gateway key have changed. */
  refresh(): Promise<void>;
  /** Cuts every client's connection. */
  hangUpOnAll(): void;
  close(): Promise<void>;
}

export interface DataPlaneOptions {
  readonly upstreamUrl: string;
  /** OpenAI where it is not given, with the account's settings. */
  readonly provider?: Provider;
  readonly basePath?: string;
  readonly apiVersion?: string;
  readonly keyEntry?: Partial<KeyEntry>;
  readonly maxStalenessMs?: number;
  readonly hasRoute?: boolean;
  readonly maxJsonBodyBytes?: number;
  readonly maxHeldBodyBytes?: number;
  readonly maxInFlightCalls?: number;
  readonly headersTimeoutMs?: number;
  /** What bounds the clients' connections. */
  readonly connections?: Partial<ConnectionLimits>;
  readonly tracing?: Tracing;
  /** Hosts in private networks; the test's own upstream unless a test says otherwise. */
  readonly allowedHosts?: readonly string[];
  /** In place of the system's resolver. */
  readonly lookUp?: LookUp;
  /** In place of the one way to the upstream. */
  readonly routing?: EnvironmentRouting | (() => EnvironmentRouting);
  readonly nowMs?: () => number;
  /** The rules of its environment, beside the routing. */
  readonly policy?: CallPolicy | null;
  readonly trustedProxies?: readonly string[];
  readonly clientAddressHeader?: ClientAddressHeader;
  readonly monotonicMs?: () => number;
  /** None unless it is asked for: it goes by how quick the machine is. */
  readonly overrunMs?: number;
  readonly random?: () => number;
  readonly failover?: Partial<FailoverLimits>;
  readonly circuit?: Partial<CircuitRule>;
  readonly limits?: Limits;
  /** No call waits by default. */
  readonly accountGate?: AccountGate;
  /** None by default: no budget counts a call. */
  readonly holds?: Pick<HoldBook, "windowsOf" | "place">;
  /** None by default: no client token is good. */
  readonly clientTokens?: ClientTokenBook;
  /** A key look-up waits for this. */
  readonly keyGate?: Promise<void>;
}

function refuseToHold(): never {
  throw new Error("nothing is held where no budget counts the call");
}

const priceBook = createPriceBook(BUILT_IN_PRICE_LIST);

/** One token a word: enough to tell what was counted. */
const WORD_COUNTER: Tokenizer = {
  count: async ({ texts }) => texts.join("").split(/\s+/).filter(Boolean).length,
  close: async () => undefined,
};

export async function startDataPlane(options: DataPlaneOptions): Promise<DataPlane> {
  const intents: CallIntent[] = [];
  const events: UsageEvent[] = [];
  const refusals: { code: string; customer: string | null }[] = [];
  const logged: unknown[] = [];
  const reports: DataPlane["reports"] = { ended: [], refused: [] };
  const state = { isJournalBroken: false };
  const key = createGatewayKey("development", randomBytes);
  const upstream = createUpstream({
    connectTimeoutMs: 2000,
    headersTimeoutMs: options.headersTimeoutMs ?? 10_000,
    bodyIdleTimeoutMs: 10_000,
    allowedHosts: createAllowedHosts(options.allowedHosts ?? ["127.0.0.1"]),
    ...(options.lookUp === undefined ? {} : { lookUp: options.lookUp }),
  });
  const ids = new IdFactory({ nowMs: Date.now, randomBytes });
  const log = createMemoryLog(logged);
  const changes: StoreChanges = { ...NO_CHANGES };
  const snapshot = createSnapshot(key, options, changes);
  const ledger = createMemoryLedger({ intents, events, refusals, state });
  const bodyBudget = new BodyBudget(options.maxHeldBodyBytes ?? 64 * 1024 * 1024);
  const gateway = createGatewayListener({
    snapshot,
    clientTokens: options.clientTokens ?? new ClientTokenBook(),
    holds: options.holds ?? { windowsOf: () => [], place: refuseToHold },
    worstCase: { priceBook, ceilings: DEFAULT_BOUND_CEILINGS },
    ledger,
    ...createRules(options, { ledger, log }),
    priceBook,
    upstream,
    ids,
    log,
    observer: tellInto(reports),
    tracing: options.tracing,
    nowMs: options.nowMs ?? Date.now,
    ...createDecisions(options, log),
    bodyBudget,
    maxJsonBodyBytes: options.maxJsonBodyBytes ?? 1024 * 1024,
    maxInFlightCalls: options.maxInFlightCalls ?? 1000,
    tokenizer: WORD_COUNTER,
    fallback: (_request, reply) => {
      reply.writeHead(404, []);
      reply.end();
    },
  });
  const server = await startServer(gateway, options, refusals);
  return {
    ...server,
    key,
    gateway,
    intents,
    events,
    refusals,
    logged,
    bodyBudget,
    reports,
    changes,
    get isJournalBroken() {
      return state.isJournalBroken;
    },
    set isJournalBroken(value: boolean) {
      state.isJournalBroken = value;
    },
    refresh: () => snapshot.refresh(),
    close: async () => {
      await server.close();
      await upstream.destroy();
    },
  };
}

function createMemoryLog(logged: unknown[]): Log {
  const write = (fields: unknown, message: string): void => void logged.push({ fields, message });
  return { debug: write, info: write, warn: write, error: write };
}

function createRules(options: DataPlaneOptions, deps: { ledger: Ledger; log: Log }) {
  return {
    policyWatch: new PolicyWatch({ ...deps, monotonicMs: () => performance.now() }),
    trustedProxies: createIpRanges(options.trustedProxies ?? null),
    clientAddressHeader: options.clientAddressHeader ?? "x-forwarded-for",
  };
}

async function startServer(
  gateway: GatewayListener,
  options: DataPlaneOptions,
  refusals: { code: string; customer: string | null }[],
) {
  const served = await serveHandler(gateway.handler, options.connections, {
    requestRefused: (code) => refusals.push({ code, customer: null }),
  });
  return {
    url: served.url,
    hangUpOnAll: () => served.server.closeAllConnections(),
    close: served.close,
  };
}

function createDecisions(options: DataPlaneOptions, log: Log) {
  const monotonicMs = options.monotonicMs ?? (() => performance.now());
  const rule = { ...DEFAULT_CIRCUIT_RULE, ...options.circuit };
  return {
    monotonicMs,
    overrunMs: options.overrunMs ?? 0,
    limits: options.limits ?? NO_LIMITS,
    accountGate:
      options.accountGate ??
      new AccountGate({ maxWaitMs: 0, maxCalls: 1, monotonicMs, nowMs: Date.now, log }),
    random: options.random ?? Math.random,
    routeHealth: new RouteHealth({ rule, monotonicMs, log }),
    failover: { maxAttempts: 3, maxMs: 60_000, isUnansweredRetried: false, ...options.failover },
  };
}

function tellInto({ ended, refused }: DataPlane["reports"]): CallObserver {
  return {
    callEnded: (report) => ended.push(report),
    callRefused: (report) => refused.push(report),
  };
}

/** What a test changes of the store while it runs. */
interface StoreChanges {
  key: Partial<KeyEntry>;
  isStoreAway: boolean;
  isLookUpAway: boolean;
}

const NO_CHANGES: StoreChanges = { key: {}, isStoreAway: false, isLookUpAway: false };

function createSnapshot(key: string, options: DataPlaneOptions, changes: StoreChanges): Snapshot {
  const environmentId = "env_test" as EnvironmentId;
  const entry: KeyEntry = {
    id: "key_test" as GatewayKeyId,
    projectId: "prj_test" as ProjectId,
    environmentId,
    environmentName: "development",
    environmentKind: "development",
    customer: null,
    allowedModels: null,
    restrictions: null,
    isForBrowsers: false,
    expiresAtMs: null,
    revokedAtMs: null,
    superseded: null,
    ...options.keyEntry,
  };
  const routing = options.routing ?? {
    routes: [ownRoute(options)],
    rules: [],
    unpricedPolicy: "allow_and_alert",
    policy: options.policy ?? null,
  };
  return new Snapshot(
    {
      findKeyByHash: async (hash) => {
        await options.keyGate;
        if (changes.isLookUpAway) throw new Error("the store is away");
        return hash === hashGatewayKey(key) ? { ...entry, ...changes.key } : undefined;
      },
      findKeyById: async (id) => {
        if (changes.isLookUpAway) throw new Error("the store is away");
        return id === entry.id ? { ...entry, ...changes.key } : undefined;
      },
      loadRouting: async () =>
        options.hasRoute === false
          ? { routes: [], rules: [], unpricedPolicy: "allow_and_alert" }
          : typeof routing === "function"
            ? routing()
            : routing,
      latestSequence: async () => 0,
      changesSince: async (sequence) => {
        if (changes.isStoreAway) throw new Error("the store is away");
        return [
          { sequence: sequence + 1, kind: "providerKey", entityId: "pky_any" },
          { sequence: sequence + 2, kind: "gatewayKey", entityId: entry.id },
          { sequence: sequence + 3, kind: "clientToken", entityId: "any" },
        ];
      },
    },
    {
      ...DEFAULT_SNAPSHOT_LIMITS,
      monotonicMs: options.monotonicMs ?? (() => performance.now()),
      maxStalenessMs: options.maxStalenessMs,
    },
  );
}

function ownRoute({
  upstreamUrl,
  provider,
  basePath,
  apiVersion,
}: DataPlaneOptions): ProviderRoute {
  return routeTo(upstreamUrl, {
    ...(provider === undefined ? {} : { provider }),
    ...(basePath === undefined ? {} : { basePath }),
    ...(apiVersion === undefined ? {} : { apiVersion }),
  });
}

/** A way to an upstream; each key and account that a test tells apart needs ids of its own. */
export function routeTo(upstreamUrl: string, change: Partial<ProviderRoute> = {}): ProviderRoute {
  const url = new URL(upstreamUrl);
  const provider = change.provider ?? openaiProvider;
  return {
    provider,
    weight: 1,
    pricedAs: provider.pricedAs ?? provider.name,
    accountId: null,
    keyId: null,
    origin: url.origin,
    basePath: `${url.pathname.replace(/\/$/, "")}/v1`,
    apiVersion: null,
    authHeaders: provider.authHeaders({
      secret: PROVIDER_SECRET,
      organizationId: "org-ours",
      projectId: null,
    }),
    ...change,
  };
}

function createMemoryLedger(into: {
  readonly intents: CallIntent[];
  readonly events: UsageEvent[];
  readonly refusals: { code: string; customer: string | null }[];
  readonly state: { isJournalBroken: boolean };
}): Ledger {
  return {
    open: async (intent) => {
      if (into.state.isJournalBroken) throw new Error("no space left on device");
      into.intents.push(intent);
    },
    amend: async (intent) => {
      into.intents.splice(
        into.intents.findIndex(({ id }) => id === intent.id),
        1,
        intent,
      );
    },
    settle: async (event) => {
      if (into.events.some((other) => other.id === event.id)) throw new Error("settled twice");
      into.events.push(event);
    },
    countRefusal: ({ code, customer, budgetWindowId }) =>
      into.refusals.push({ code, customer, ...(budgetWindowId && { budgetWindowId }) }),
    flush: async () => undefined,
    close: async () => undefined,
    status: () => ({
      openIntents: 0,
      pendingEvents: 0,
      journalBytes: 0,
      lastFlushAtMs: null,
      lastFlushError: null,
      flushFailures: 0,
    }),
  };
}
