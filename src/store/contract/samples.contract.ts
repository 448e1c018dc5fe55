import { createHash, randomBytes } from "node:crypto";
import type { Budget } from "../../core/budgets/budget.ts";
import { IdFactory } from "../../core/ids/ids.ts";
import type { DataKeyRecord, RootKeyRecord } from "../../core/keys/vault-records.ts";
import { picos } from "../../core/money/picos.ts";
import { NO_SETTINGS } from "../../core/policy/environment-policy.ts";
import type { UsageEvent } from "../../core/usage/usage-event.ts";
import type { AdminTokenRecord } from "../access-records.ts";
import type {
  CorrectionRecord,
  CustomerRecord,
  EnvironmentRecord,
  GatewayKeyRecord,
  PriceOverrideRecord,
  ProjectRecord,
  ProviderAccountRecord,
  ProviderKeyRecord,
  RoutingRuleRecord,
} from "../records.ts";
import type { Repositories } from "../store.ts";

/** 2026-01-01T00:00:00Z */
export const SAMPLE_TIME_MS = 1_767_225_600_000;

/** Ids whose time stands still, so that rows tie wherever a test does not say otherwise. */
export const ids = new IdFactory({ nowMs: () => SAMPLE_TIME_MS, randomBytes });

let samples = 0;
/** A name that no other sample has. */
function nextName(kind: string): string {
  samples += 1;
  return `${kind}-${samples}`;
}

export function sampleHash(): string {
  return createHash("sha256").update(nextName("hash")).digest("hex");
}

export function sampleProject(overrides: Partial<ProjectRecord> = {}): ProjectRecord {
  return {
    id: ids.create("prj"),
    name: nextName("project"),
    createdAtMs: SAMPLE_TIME_MS,
    ...overrides,
  };
}

export function sampleEnvironment(overrides: Partial<EnvironmentRecord> = {}): EnvironmentRecord {
  return {
    id: ids.create("env"),
    name: nextName("environment"),
    kind: "staging",
    unpricedPolicy: "allow_and_alert",
    budgetCeilingPicos: null,
    policy: NO_SETTINGS,
    createdAtMs: SAMPLE_TIME_MS,
    ...overrides,
  };
}

export function sampleAccount(
  overrides: Partial<ProviderAccountRecord> = {},
): ProviderAccountRecord {
  return {
    id: ids.create("acc"),
    name: nextName("account"),
    provider: "openai",
    kind: "organization",
    baseUrl: null,
    organizationId: "org-1",
    providerProjectId: null,
    apiVersion: null,
    pricedAs: null,
    createdAtMs: SAMPLE_TIME_MS,
    ...overrides,
  };
}

export function sampleCustomer(overrides: Partial<CustomerRecord> = {}): CustomerRecord {
  return {
    id: ids.create("cus"),
    externalId: nextName("customer"),
    name: null,
    createdAtMs: SAMPLE_TIME_MS,
    ...overrides,
  };
}

export function sampleAdminToken(overrides: Partial<AdminTokenRecord> = {}): AdminTokenRecord {
  return {
    id: ids.create("adm"),
    name: nextName("token"),
    hash: sampleHash(),
    preview: null,
    role: "owner",
    permissions: null,
    environments: null,
    memberId: null,
    createdBy: null,
    madeWith: null,
    createdAtMs: SAMPLE_TIME_MS,
    expiresAtMs: null,
    lastUsedAtMs: null,
    revokedAtMs: null,
    ...overrides,
  };
}

export function sampleRootKey(overrides: Partial<RootKeyRecord> = {}): RootKeyRecord {
  return {
    id: ids.create("rtk"),
    fingerprint: randomBytes(8).toString("hex"),
    createdAtMs: SAMPLE_TIME_MS,
    isCurrent: true,
    ...overrides,
  };
}

export function sampleDataKey(
  overrides: Partial<DataKeyRecord> & Pick<DataKeyRecord, "rootKeyId">,
): DataKeyRecord {
  return {
    id: ids.create("dek"),
    scope: nextName("scope"),
    nonce: new Uint8Array(randomBytes(12)),
    wrapped: new Uint8Array(randomBytes(48)),
    createdAtMs: SAMPLE_TIME_MS,
    ...overrides,
  };
}

/** What a key of either kind belongs to, inserted. */
export interface Belongings {
  readonly project: ProjectRecord;
  readonly environment: EnvironmentRecord;
  readonly account: ProviderAccountRecord;
  readonly customer: CustomerRecord;
  readonly dataKey: DataKeyRecord;
}

export async function insertBelongings(store: Repositories): Promise<Belongings> {
  const project = sampleProject();
  const environment = sampleEnvironment();
  const account = sampleAccount();
  const customer = sampleCustomer();
  await store.projects.insert(project);
  await store.environments.insert(environment);
  await store.providerAccounts.insert(account);
  await store.customers.insert(customer);
  const rootKey = (await store.vaultKeys.currentRootKey()) ?? sampleRootKey();
  await store.vaultKeys.insertRootKey(rootKey);
  const dataKey = sampleDataKey({ rootKeyId: rootKey.id });
  await store.vaultKeys.insertDataKey(dataKey);
  return { project, environment, account, customer, dataKey };
}

export function sampleGatewayKey(
  of: Pick<Belongings, "project" | "environment">,
  overrides: Partial<GatewayKeyRecord> = {},
): GatewayKeyRecord {
  return {
    id: ids.create("key"),
    name: nextName("key"),
    projectId: of.project.id,
    environmentId: of.environment.id,
    customerId: null,
    hash: sampleHash(),
    preview: "kw_stg_…x7Qz",
    allowedModels: null,
    allowedEndpoints: null,
    allowedIps: null,
    isForBrowsers: false,
    createdAtMs: SAMPLE_TIME_MS,
    expiresAtMs: null,
    revokedAtMs: null,
    ...overrides,
  };
}

export function sampleProviderKey(
  of: Pick<Belongings, "account" | "environment" | "dataKey">,
  overrides: Partial<ProviderKeyRecord> = {},
): ProviderKeyRecord {
  return {
    id: ids.create("pky"),
    accountId: of.account.id,
    environmentId: of.environment.id,
    name: nextName("provider-key"),
    version: 1,
    sealed: {
      dataKeyId: of.dataKey.id,
      nonce: new Uint8Array(randomBytes(12)),
      ciphertext: new Uint8Array(randomBytes(80)),
    },
    fingerprint: sampleHash(),
    weight: 1,
    preview: "sk-proj-…9fQa",
    createdAtMs: SAMPLE_TIME_MS,
    revokedAtMs: null,
    ...overrides,
  };
}

export function sampleRoutingRule(
  of: Pick<Belongings, "environment">,
  overrides: Partial<RoutingRuleRecord> = {},
): RoutingRuleRecord {
  return {
    id: ids.create("rul"),
    environmentId: of.environment.id,
    position: 1,
    model: "gpt-4o",
    provider: null,
    accountId: null,
    targetModel: null,
    createdAtMs: SAMPLE_TIME_MS,
    ...overrides,
  };
}

const PROJECT_ID = ids.create("prj");
const ENVIRONMENT_ID = ids.create("env");
const GATEWAY_KEY_ID = ids.create("key");

export function sampleEvent(overrides: Partial<UsageEvent> = {}): UsageEvent {
  return {
    id: ids.create("evt"),
    requestId: ids.create("req"),
    attempt: 2,
    startedAtMs: SAMPLE_TIME_MS,
    projectId: PROJECT_ID,
    environmentId: ENVIRONMENT_ID,
    gatewayKeyId: GATEWAY_KEY_ID,
    customer: "acme",
    feature: "chat",
    operation: "chat.completions",
    method: "POST",
    path: "/v1/chat/completions",
    provider: "openai",
    providerAccountId: ids.create("acc"),
    providerKeyId: ids.create("pky"),
    requestedModel: "gpt-4o-mini",
    isStream: true,
    holdPicos: null,
    status: "succeeded",
    httpStatus: 200,
    durationMs: 812,
    firstByteMs: 140,
    providerResponseId: "chatcmpl-1",
    sentModel: null,
    servedModel: "gpt-4o-mini-2024-07-18",
    serviceTier: "default",
    variant: null,
    usageSource: "reported",
    quantities: { input: 70, cachedInput: 30, output: 20, reasoningOutput: 5 },
    pricing: "priced",
    costPicos: picos(27_750_001n),
    pricePicos: null,
    priceRowId: "openai/gpt-4o-mini/default@2024-07-18",
    ...overrides,
  };
}

export function samplePriceOverride(
  overrides: Partial<PriceOverrideRecord> = {},
): PriceOverrideRecord {
  return {
    id: ids.create("pov"),
    provider: "openai",
    model: nextName("model"),
    tier: "default",
    variant: null,
    unitPrices: { input: 100_000n, output: 400_000n },
    discountBasisPoints: null,
    validFromMs: SAMPLE_TIME_MS,
    validUntilMs: null,
    note: null,
    createdBy: "local",
    createdAtMs: SAMPLE_TIME_MS,
    endedBy: null,
    endedAtMs: null,
    ...overrides,
  };
}

/** The first correction of the event, unless another is asked for. */
export function sampleCorrection(
  event: UsageEvent,
  overrides: Partial<CorrectionRecord> = {},
): CorrectionRecord {
  return {
    id: ids.create("cor"),
    eventId: event.id,
    ordinal: 1,
    createdAtMs: SAMPLE_TIME_MS,
    createdBy: "local",
    differencePicos: picos(1n),
    previousPricing: "priced",
    previousCostPicos: event.costPicos,
    previousPriceRowId: event.priceRowId,
    costPicos: picos(2n),
    priceRowId: "openai/gpt-4o-mini/default@2026-01-01",
    ...overrides,
  };
}

/** One dollar a month for everybody, unless another is asked for. */
export function sampleBudget(overrides: Partial<Budget> = {}): Budget {
  return {
    id: ids.create("bud"),
    name: null,
    scope: { kind: "organization", id: null },
    measure: "cost",
    models: null,
    period: "month",
    timeZone: "UTC",
    anchor: null,
    rollsOver: false,
    limitPicos: picos(1_000_000_000_000n),
    enforcement: "hard",
    onTightBudget: "refuse",
    pausedAtMs: null,
    archivedAtMs: null,
    createdBy: "local",
    createdAtMs: SAMPLE_TIME_MS,
    increases: [],
    ...overrides,
  };
}
