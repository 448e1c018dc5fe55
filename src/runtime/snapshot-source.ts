import { judgeProviderKey } from "../admin/judge-provider-key.ts";
import { DEFAULT_UNPRICED_POLICY, hasSimulatorStandIn } from "../core/environments/environment.ts";
import type { EnvironmentId, ProviderKeyId } from "../core/ids/ids.ts";
import { createIpRanges } from "../core/network/ip-ranges.ts";
import { compileCallPolicy } from "../core/policy/call-policy.ts";
import { createEndpointSet } from "../core/policy/endpoint-pattern.ts";
import { resolvePolicy } from "../core/policy/environment-policy.ts";
import type { OverridablePriceBook } from "../core/pricing/overridable-price-book.ts";
import { parseModelPattern } from "../core/routing/model-pattern.ts";
import { isAllowedBy } from "../core/routing/routing-rule.ts";
import { pricedAs } from "../providers/priced-as.ts";
import type { Provider, ProviderRegistry } from "../providers/provider.ts";
import type {
  EnvironmentRouting,
  KeyEntry,
  KeyRestrictions,
  ProviderRoute,
  RoutingRule,
  SnapshotSource,
} from "../proxy/snapshot.ts";
import type { PresentedKeyRecord } from "../store/gateway-key-repository.ts";
import type {
  ChangeRecord,
  EnvironmentRecord,
  GatewayKeyRecord,
  ProviderKeyRecord,
  RoutingRuleRecord,
} from "../store/records.ts";
import type { KeyFactsRecord } from "../store/rotation-records.ts";
import { MAX_PAGE_SIZE, type Store } from "../store/store.ts";
import type { Vault } from "../vault/vault.ts";
import type { Reloads } from "./reloads.ts";
import type { KeySightings } from "./rotation/key-sightings.ts";

export interface SnapshotSourceDeps {
  readonly store: Store;
  readonly vault: Vault;
  readonly providers: ProviderRegistry;
  readonly priceBook: Pick<OverridablePriceBook, "providerAt">;
  readonly reloads: Pick<Reloads, "after">;
  /** Answers in development environments that have no key; costs nothing and needs no secret. */
  readonly standIn: Provider;
  /** Learns what answers tell of secrets. */
  readonly sightings: Pick<KeySightings, "watch">;
}

const MAX_CHANGES_A_READ = MAX_PAGE_SIZE;

/** What the data plane knows, read from the store; the one place where provider secrets are opened. */
export function createSnapshotSource(deps: SnapshotSourceDeps): SnapshotSource {
  const { store } = deps;
  return {
    findKeyByHash: async (hash) => {
      const record = await store.gatewayKeys.findByHash(hash);
      return record && (await toKeyEntry(store, record));
    },
    findKeyById: async (id) => {
      const record = await store.gatewayKeys.findById(id);
      return record && (await toKeyEntry(store, { ...record, superseded: null }));
    },
    loadRouting: (environmentId) => loadRouting(deps, environmentId),
    latestSequence: () => store.changes.latestSequence(),
    changesSince: async (sequence) => {
      const changes = await listAllSince(store, sequence);
      // Before they count as seen: when this fails, they come again.
      await deps.reloads.after(changes);
      return changes;
    },
  };
}

/** All of them, so that a thousand keys that are revoked at once are all refused at once. */
async function listAllSince(store: Store, sequence: number): Promise<readonly ChangeRecord[]> {
  const changes: ChangeRecord[] = [];
  let last = sequence;
  for (;;) {
    const page = await store.changes.listSince(last, MAX_CHANGES_A_READ);
    changes.push(...page);
    if (page.length < MAX_CHANGES_A_READ) return changes;
    last = page.at(-1)?.sequence ?? last;
  }
}

async function toKeyEntry(store: Store, record: PresentedKeyRecord): Promise<KeyEntry> {
  const [environment, customer] = await Promise.all([
    store.environments.findById(record.environmentId),
    record.customerId === null ? undefined : store.customers.findById(record.customerId),
  ]);
  if (environment === undefined) throw new Error(`key ${record.id} has no environment`);
  if (record.customerId !== null && customer === undefined) {
    throw new Error(`key ${record.id} is bound to a customer that is not there`);
  }
  return {
    id: record.id,
    projectId: record.projectId,
    environmentId: record.environmentId,
    environmentName: environment.name,
    environmentKind: environment.kind,
    customer: customer?.externalId ?? null,
    allowedModels: record.allowedModels === null ? null : new Set(record.allowedModels),
    restrictions: restrictionsOf(record),
    isForBrowsers: record.isForBrowsers,
    expiresAtMs: record.expiresAtMs,
    revokedAtMs: record.revokedAtMs,
    superseded: record.superseded,
  };
}

function restrictionsOf({
  allowedEndpoints,
  allowedIps,
}: GatewayKeyRecord): KeyRestrictions | null {
  if (allowedEndpoints === null && allowedIps === null) return null;
  return {
    allowedEndpoints: createEndpointSet(allowedEndpoints),
    allowedIps: createIpRanges(allowedIps),
  };
}

async function loadRouting(
  deps: SnapshotSourceDeps,
  environmentId: EnvironmentId,
): Promise<EnvironmentRouting> {
  const environment = await deps.store.environments.findById(environmentId);
  const [{ routes, barredKeys }, rules] = await Promise.all([
    loadWays(deps, environmentId, environment),
    deps.store.routingRules.listOf(environmentId),
  ]);
  return {
    routes,
    rules: rules.map((rule) => toRule(rule, routes)),
    unpricedPolicy: environment?.unpricedPolicy ?? DEFAULT_UNPRICED_POLICY,
    budgetCeilingPicos: environment?.budgetCeilingPicos ?? null,
    policy:
      environment === undefined
        ? null
        : compileCallPolicy(resolvePolicy(environment.kind, environment.policy)),
    barredKeys,
  };
}

interface Ways {
  /** The heaviest first, then the oldest. */
  readonly routes: readonly ProviderRoute[];
  readonly barredKeys: number;
}

async function loadWays(
  deps: SnapshotSourceDeps,
  environmentId: EnvironmentId,
  environment: EnvironmentRecord | undefined,
): Promise<Ways> {
  const keys = await deps.store.providerKeys.listActive(environmentId);
  if (environment === undefined) return { routes: [], barredKeys: keys.length };
  if (keys.length === 0) {
    if (!hasSimulatorStandIn(environment.kind)) return { routes: [], barredKeys: 0 };
    return {
      routes: [createRoute(deps, deps.standIn, { baseUrl: null, ...NO_KEY })],
      barredKeys: 0,
    };
  }
  const facts = await deps.store.rotation.keyFacts.ofAll(keys.map(({ id }) => id));
  const allowed = await withoutBarred(deps, { environment, keys, facts });
  const routes = await Promise.all(allowed.map((key) => openRoute(deps, key, facts.get(key.id))));
  return {
    routes: routes.toSorted((a, b) => b.weight - a.weight),
    barredKeys: keys.length - allowed.length,
  };
}

/** A key that was added before a rule was made stricter is not used: its secret is not even opened. */
async function withoutBarred(
  deps: Pick<SnapshotSourceDeps, "store" | "providers">,
  {
    environment,
    keys,
    facts,
  }: {
    readonly environment: EnvironmentRecord;
    readonly keys: readonly ProviderKeyRecord[];
    readonly facts: ReadonlyMap<ProviderKeyId, KeyFactsRecord>;
  },
): Promise<readonly ProviderKeyRecord[]> {
  const judged = await Promise.all(
    keys.map(async (key) => {
      const ownership = facts.get(key.id)?.ownership;
      return { key, broken: await judgeProviderKey(deps, environment, key, ownership) };
    }),
  );
  return judged
    .filter(({ broken }) => broken.every(({ mode }) => mode !== "enforce"))
    .map(({ key }) => key);
}

function toRule(record: RoutingRuleRecord, routes: readonly ProviderRoute[]): RoutingRule {
  const { id, provider, accountId, targetModel } = record;
  const pattern = parseModelPattern(record.model);
  if (pattern === undefined) throw new Error(`routing rule ${id} has no model pattern`);
  const allowed = routes.filter((route) =>
    isAllowedBy(
      { provider, accountId },
      { provider: route.provider.name, accountId: route.accountId },
    ),
  );
  return { id, pattern, routes: allowed, targetModel };
}

const NO_KEY = {
  weight: 1,
  apiVersion: null,
  pricedAs: null,
  accountId: null,
  keyId: null,
  authHeaders: [],
} as const;

async function openRoute(
  deps: SnapshotSourceDeps,
  key: ProviderKeyRecord,
  facts: KeyFactsRecord | undefined,
): Promise<ProviderRoute> {
  const account = await deps.store.providerAccounts.findById(key.accountId);
  if (account === undefined) throw new Error(`provider key ${key.id} has no account`);
  const provider = deps.providers.find(account.provider);
  if (provider === undefined) throw new Error(`no provider is called ${account.provider}`);
  const secret = await deps.vault.open(key.sealed, {
    environmentId: key.environmentId,
    secretId: key.id,
    version: key.version,
  });
  const route = createRoute(deps, provider, {
    baseUrl: account.baseUrl,
    weight: key.weight,
    apiVersion: account.apiVersion,
    pricedAs: account.pricedAs,
    accountId: account.id,
    keyId: key.id,
    authHeaders: provider.authHeaders({
      secret,
      organizationId: account.organizationId,
      projectId: account.providerProjectId,
    }),
  });
  return { ...route, sighting: deps.sightings.watch(key, facts, provider) };
}

function createRoute(
  deps: Pick<SnapshotSourceDeps, "priceBook">,
  provider: Provider,
  key: Pick<ProviderRoute, "weight" | "apiVersion" | "accountId" | "keyId" | "authHeaders"> & {
    readonly baseUrl: string | null;
    readonly pricedAs: string | null;
  },
): ProviderRoute {
  const { baseUrl: ownBaseUrl, pricedAs: ownPrices, ...identity } = key;
  const baseUrl = ownBaseUrl ?? provider.defaultBaseUrl;
  if (baseUrl === null) throw new Error(`an account at ${provider.name} must name its base URL`);
  const url = new URL(baseUrl);
  return {
    provider,
    pricedAs: pricedAs(provider, { baseUrl, pricedAs: ownPrices }, deps.priceBook),
    origin: url.origin,
    basePath: url.pathname.replace(/\/+$/, ""),
    ...identity,
  };
}
