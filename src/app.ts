/**
 * The composition root: makes every part and hands it to the others. The only file that knows which implementation
 * stands behind which contract; everything it makes it also ends.
 */
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import type { AdminApp } from "./admin/admin-app.ts";
import { TRUST_CALLER, type Authenticator } from "./admin/authenticator.ts";
import { ADMIN_BASE_PATH } from "./admin/base-path.ts";
import { type AdminClient, createAdminClient } from "./admin/client.ts";
import { createAdminServer } from "./admin/server.ts";
import type { StoreWatch } from "./admin/store-watch.ts";
import type { Config } from "./config/config-schema.ts";
import { findOpenaiKey } from "./config/import-openai-key.ts";
import type { Environment } from "./config/process-environment.ts";
import { DEFAULT_BOUND_CEILINGS } from "./core/budgets/worst-case.ts";
import { IdFactory } from "./core/ids/ids.ts";
import { createAllowedHosts } from "./core/network/allowed-hosts.ts";
import type { OverridablePriceBook } from "./core/pricing/overridable-price-book.ts";
import { openFileLedger } from "./ledger/file/file-ledger.ts";
import type { Ledger } from "./ledger/ledger.ts";
import type { AccountGate } from "./proxy/account-gate.ts";
import type { HttpHandler } from "./proxy/http/handler.ts";
import type { RouteHealth } from "./proxy/route-health.ts";
import { createGatewayListener } from "./proxy/server.ts";
import {
  createAdminAuthenticator,
  loginParts,
  mayReadMetrics,
} from "./runtime/admin-authenticator.ts";
import { startAlerts } from "./runtime/alerts/gateway-alerts.ts";
import { createOneTimeSender } from "./runtime/alerts/send-once.ts";
import { bindPort, type BoundPort } from "./runtime/bind-port.ts";
import { createCallRules } from "./runtime/call-rules.ts";
import { createClientAddressOf } from "./runtime/client-address-of.ts";
import { Closers, UNHURRIED_MS } from "./runtime/closers.ts";
import { connectProviders } from "./runtime/connect-providers.ts";
import { connectionLimits, readMaxOpenFiles } from "./runtime/connection-limits.ts";
import { createConnectionObserver } from "./runtime/connection-observer.ts";
import { JOURNAL_FOLDER, prepareDataDirectory } from "./runtime/data-directory.ts";
import { startUsageCollector } from "./runtime/deferred/usage-collector.ts";
import { closePort, drain, maxDrainMs } from "./runtime/drain.ts";
import { listEnvironments } from "./runtime/environment-overview.ts";
import { startFailoverParts } from "./runtime/failover-parts.ts";
import { createFetchHandler } from "./runtime/fetch-handler.ts";
import { findUnimportedKey } from "./runtime/find-unimported-key.ts";
import { ensureFirstRun } from "./runtime/first-run.ts";
import { createFrontDoor } from "./runtime/front-door.ts";
import { importFoundKey, NO_IMPORT } from "./runtime/import-openai-key.ts";
import {
  announceProcess,
  introduceProcess,
  keepProcesses,
  type Membership,
  recoverAtStart,
} from "./runtime/join-processes.ts";
import { createLoginPages } from "./runtime/login-pages.ts";
import { createMetricsHandler } from "./runtime/metrics-handler.ts";
import { BY_SYSTEM } from "./runtime/open-audit.ts";
import { openSnapshot } from "./runtime/open-snapshot.ts";
import { openStore } from "./runtime/open-store.ts";
import { openVault } from "./runtime/open-vault.ts";
import { noteOwnUrl } from "./runtime/own-url.ts";
import { type OwnerOffer, offerOwnerLink } from "./runtime/owner-link.ts";
import { createRandomPool } from "./runtime/random-pool.ts";
import { releaseRotations } from "./runtime/rotation/rotation-loop.ts";
import { type KeyLife, startKeyLife } from "./runtime/rotation/start-key-life.ts";
import { type Budgets, settleLeases, startBudgets } from "./runtime/start-budgets.ts";
import { startLimits } from "./runtime/start-limits.ts";
import { createBook, type Providers, startProviders } from "./runtime/start-providers.ts";
import type { StartReport } from "./runtime/start-report.ts";
import { startProcessTelemetry, type Telemetry } from "./runtime/start-telemetry.ts";
import { Tasks } from "./runtime/tasks.ts";
import { openWatchedAudit } from "./runtime/watch-audit-log.ts";
import type { WorkerPlace } from "./runtime/workers/peers.ts";
import { shareTelemetry } from "./runtime/workers/share-telemetry.ts";
import type { AuditedStore } from "./store/audited-store.ts";
import type { Store } from "./store/store.ts";
import type { Log } from "./telemetry/log.ts";
import { BpeTokenizer } from "./tokenizer/bpe/bpe-tokenizer.ts";
import type { Vault } from "./vault/vault.ts";

export interface StartRequest {
  readonly config: Config;
  /** Where `.env.local` and `.env` are looked for at the first start. */
  readonly cwd: string;
  readonly env: Environment;
  readonly version: string;
  readonly log: Log;
  /** Absent where this process is not one of a supervisor's workers. */
  readonly worker?: WorkerPlace;
}

export interface RunningKeyward extends StartReport {
  /** Lets calls in flight end for as long as `shutdownGraceMs`, then cuts them; flushes the ledger. */
  readonly stop: () => Promise<void>;
}

/** Starts a whole Keyward in this process, whatever `processes` says. Throws StartError, with nothing left open, when it can't. */
export async function startKeyward(request: StartRequest): Promise<RunningKeyward> {
  const closers = new Closers(request.log);
  try {
    return await start(request, closers);
  } catch (err) {
    await closers.closeAll();
    throw err;
  }
}

async function start(request: StartRequest, closers: Closers): Promise<RunningKeyward> {
  const { config, log } = request;
  const limits = connectionLimits(config, readMaxOpenFiles());
  const bound = await bindPort(config, limits, request.worker?.port);
  closers.add("port", () => closePort(bound));
  await prepareDataDirectory(config.dataDir);
  const store = await openStore(config, { log });
  closers.add("store", () => store.close());
  const ids = new IdFactory({ nowMs: Date.now, randomBytes: createRandomPool() });
  const vault = await openVault({ config, store, ids });
  const audited = await openWatchedAudit({ store, vault, log, ...config }, closers);
  const providers = await startProviders(log, closers);
  const self = await introduceProcess(config.dataDir, ids, request.version);
  const keyLife = startKeyLife({ ...request, audited, vault, ids, providers, self }, closers);
  const membership: Membership = {
    store,
    self,
    dataDir: config.dataDir,
    log,
    onGone: async (gone) => {
      await settleLeases(store, gone);
      await releaseRotations(store, gone);
    },
    onEnded: () => store.budgets.markFound(self.id),
  };
  const { url } = bound;
  const parts: Parts = {
    request,
    store,
    audited,
    ids,
    vault,
    providers,
    keyLife,
    priceBook: createBook(providers),
    membership,
    url,
    startedAtMs: Date.now(),
  };
  const recovery = await recoverAtStart(membership);
  await noteOwnUrl(config.dataDir, url);
  await serve(parts, bound, closers);
  // Last, when nothing else can fail any more: these secrets are shown once or never.
  const firstRun = await audited.as(BY_SYSTEM, () =>
    ensureFirstRun({ store: audited, ids, nowMs: Date.now, randomBytes }),
  );
  const ownerOffer = await offerOwner(parts);
  const search = () => findOpenaiKey({ ...request, own: { host: config.host, port: bound.port } });
  const isImporting = firstRun !== undefined && config.import;
  const imported = isImporting
    ? await importFoundKey(search(), () => createInternalClient(parts))
    : NO_IMPORT;
  const environments = await listEnvironments({ store, providers: parts.providers.registry });
  const isWanted = !config.import || environments.some((one) => one.isSimulated);
  const unimportedKey =
    isImporting || !isWanted ? undefined : await findUnimportedKey(parts, search().found);
  return {
    host: config.host,
    port: bound.port,
    url,
    storeKind: store.kind,
    firstRun,
    ownerOffer,
    ...imported,
    unimportedKey,
    environments,
    recovery,
    stop: () => closers.closeAll(),
  };
}

/** By the process whose report is shown: no other may make a link that nobody gets to see. */
async function offerOwner(parts: Parts): Promise<OwnerOffer | undefined> {
  const { audited, ids, request, url } = parts;
  if (request.worker?.isFirst === false) return undefined;
  return await audited.as(BY_SYSTEM, () =>
    offerOwnerLink(
      { store: audited, ids, nowMs: Date.now, randomBytes },
      request.config.publicUrl ?? url,
    ),
  );
}

interface Parts {
  readonly request: StartRequest;
  readonly store: Store;
  /** For changes that somebody makes. */
  readonly audited: AuditedStore;
  readonly ids: IdFactory;
  readonly vault: Vault;
  readonly providers: Providers;
  readonly keyLife: KeyLife;
  readonly priceBook: OverridablePriceBook;
  readonly membership: Membership;
  readonly url: string;
  readonly startedAtMs: number;
}

/** For what Keyward itself does by its own API. */
async function createInternalClient(parts: Parts): Promise<AdminClient> {
  const app = await createAdmin(parts, { authenticator: TRUST_CALLER });
  return createAdminClient({ baseUrl: parts.url, fetch: app.fetch });
}

async function createAdmin(
  parts: Parts,
  more: {
    readonly authenticator: Authenticator;
    readonly ledger?: Ledger;
    readonly routeHealth?: RouteHealth;
    readonly accountGate?: AccountGate;
    readonly telemetry?: Telemetry;
    readonly storeWatch?: StoreWatch;
  },
): Promise<AdminApp> {
  const { request, vault, providers, url } = parts;
  const { ledger, routeHealth, accountGate } = more;
  const { createAdminApp } = await import("./admin/admin-app.ts");
  return createAdminApp({
    ...parts,
    store: parts.audited,
    keyDesk: parts.keyLife.desk,
    sendAlert: createOneTimeSender({ ...request, vault }),
    providers: providers.registry,
    allowedHosts: createAllowedHosts(request.config.allowedPrivateHosts),
    clock: { nowMs: Date.now },
    randomBytes,
    authenticator: more.authenticator,
    ...loginParts(request.config),
    clientAddressOf: createClientAddressOf(request.config),
    serverInfo: {
      version: request.version,
      startedAtMs: parts.startedAtMs,
      urls: [url],
      processId: parts.membership.self.id,
    },
    callFeed: more.telemetry?.feed,
    storeWatch: more.storeWatch,
    ledgerStatus: ledger === undefined ? undefined : () => ledger.status(),
    providerKeyHealth:
      routeHealth === undefined
        ? undefined
        : ({ id, accountId }) => routeHealth.describe({ keyId: id, accountId }),
    accountUses: accountGate && (() => accountGate.listUses()),
    onClientToken: (made) => request.log.info({ ...made }, "a client token was made"),
    onRefusal: (refusal) => request.log.info(refusal, "the admin API refused a request"),
    onFault: ({ error, ...fault }) =>
      request.log.error({ ...fault, err: error }, "the admin API failed"),
  });
}

/** From here on calls are answered. What is added to the closers last is closed first: calls, then what they need. */
async function serve(parts: Parts, bound: BoundPort, closers: Closers): Promise<void> {
  const { request, ids, providers, store } = parts;
  const { config, log } = request;
  const tasks = new Tasks(log);
  const telemetry = await startProcessTelemetry(request, providers.registry);
  closers.add("telemetry", () => telemetry.close());
  closers.add("background work", () => tasks.settled());
  const processId = parts.membership.self.id;
  const budgets = startBudgets({ store, processId, tasks, log });
  const ledger = await openLedger(parts, { tasks, budgets }, closers);
  const limits = startLimits({ store, processId, monotonicMs, log }, closers);
  const tokenizer = new BpeTokenizer();
  closers.add("tokenizer", () => tokenizer.close());
  const upstream = connectProviders(config, providers.standIn);
  closers.add("upstream connections", () => upstream.destroy());
  const { holds } = budgets;
  const { snapshot, poller, clientTokens } = await openSnapshot(parts, { limits, holds }, closers);
  const authenticator = createAdminAuthenticator(store, config);
  const failover = startFailoverParts({ config, store, processId, log }, closers);
  const observer = startAlerts(parts, { ...failover, observer: telemetry.observer }, closers);
  const gateway = createGatewayListener({
    snapshot,
    clientTokens,
    ledger,
    limits,
    holds,
    worstCase: { priceBook: parts.priceBook, ceilings: DEFAULT_BOUND_CEILINGS },
    priceBook: parts.priceBook,
    upstream,
    ids,
    log,
    observer,
    tracing: telemetry.tracing,
    tokenizer,
    nowMs: Date.now,
    ...failover,
    ...createCallRules(config, { ledger, log, monotonicMs }),
    fallback: createFallback(parts, {
      authenticator,
      ledger,
      telemetry,
      routeHealth: failover.routeHealth,
      accountGate: failover.accountGate,
      storeWatch: poller,
      gauges: {
        inFlightCalls: () => gateway.inFlightCalls(),
        ledger: () => ledger.status(),
        upstreamConnections: () => upstream.countConnections(),
      },
    }),
  });
  const collector = startUsageCollector({
    ...parts,
    providers: parts.providers.registry,
    snapshot,
    upstream: upstream.asides,
    observer: telemetry.observer,
    nowMs: Date.now,
    random: Math.random,
    log,
  });
  closers.add("pending usage", () => collector.stop());
  await bound.serve(gateway.handler, createConnectionObserver({ ledger, log, monotonicMs }));
  const { shutdownGraceMs } = config;
  const drainMs = maxDrainMs(shutdownGraceMs);
  closers.add("calls in flight", () => drain(gateway, bound, shutdownGraceMs), drainMs);
}

/** The process is known to the others from before its journal is there until after it is gone. */
async function openLedger(
  parts: Parts,
  { tasks, budgets }: { readonly tasks: Tasks; readonly budgets: Budgets },
  closers: Closers,
): Promise<Ledger> {
  const { config, log } = parts.request;
  await announceProcess(parts.membership, closers);
  budgets.closeAfter(closers, () => ledger.status());
  const ledger = await openFileLedger({
    directory: join(config.dataDir, JOURNAL_FOLDER),
    processId: parts.membership.self.id,
    sink: budgets.sink,
    clock: { nowMs: Date.now },
    tasks,
    log,
    durability: config.durability,
    flushIntervalMs: config.flushIntervalMs,
  });
  closers.add("ledger", () => ledger.close(), UNHURRIED_MS);
  keepProcesses(parts.membership, closers);
  return ledger;
}

interface Served {
  readonly authenticator: Authenticator;
  readonly ledger: Ledger;
  readonly routeHealth: RouteHealth;
  readonly accountGate: AccountGate;
  readonly telemetry: Telemetry;
  readonly gauges: Parameters<Telemetry["scrape"]>[0];
  readonly storeWatch: StoreWatch;
}

/** What is on the port besides the data plane. */
function createFallback(parts: Parts, served: Served): HttpHandler {
  const { config, version, log, worker } = parts.request;
  const { authenticator, telemetry } = served;
  return createFrontDoor({
    admin: {
      basePath: ADMIN_BASE_PATH,
      handler: createFetchHandler({
        ...createAdminServer(() => createAdmin(parts, served)),
        onFault: (err) => log.error({ err }, "the admin API did not answer"),
      }),
    },
    metrics: createMetricsHandler({
      ...config,
      contentType: telemetry.metricsContentType,
      scrape: shareTelemetry(telemetry, served.gauges, worker?.peers),
      isAdmin: (authorization) => mayReadMetrics(authenticator, authorization),
      onFault: (err) => log.error({ err }, "the metrics could not be put together"),
    }),
    loginPages: createLoginPages(config),
    version,
    isReady: async () => !served.storeWatch.isAway(),
  });
}

const monotonicMs = (): number => performance.now();
