import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync, type SQLInputValue } from "node:sqlite";
import { type CompiledQuery, Kysely } from "kysely";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { TIMEOUT_MS } from "../contract/fixture.contract.ts";
import {
  ids,
  insertBelongings,
  SAMPLE_TIME_MS,
  sampleEvent,
  sampleGatewayKey,
  sampleProviderKey,
} from "../contract/samples.contract.ts";
import { SqlStore } from "../sql/sql-store.ts";
import type { Tables } from "../sql/tables.ts";
import type { EventFilter, PageRequest, Store } from "../store.ts";
import { InlineSession } from "./inline-session.ts";
import { SqliteDialect } from "./sqlite-dialect.ts";
import { SQLITE_ENGINE } from "./sqlite-engine.ts";

/** The indexes of events end with the time; rows that are alike in it are sorted by their ids, a few at once. */
const SORT_WITHIN_MILLISECOND = "USE TEMP B-TREE FOR LAST TERM OF ORDER BY";

/** A store that shows the statements it reads with. */
class ObservedStore extends SqlStore {
  readonly #dialect: SqliteDialect;

  constructor(path: string, observe: (query: CompiledQuery) => void) {
    const options = { path, isReadOnly: false, busyTimeoutMs: 5_000, maxStatements: 50 };
    const startSession = () => InlineSession.start(options);
    const dialect = new SqliteDialect({ isReadOnly: false, startSession });
    const log = ({ query }: { query: CompiledQuery }): void => observe(query);
    const db = new Kysely<Tables>({ dialect, log });
    super({ read: db, write: db, engine: SQLITE_ENGINE });
    this.#dialect = dialect;
  }

  async close(): Promise<void> {
    await this.#dialect.close();
  }
}

describe("the plan of every list", { timeout: TIMEOUT_MS }, () => {
  let directory = "";
  let path = "";
  let store: ObservedStore;
  let queries: CompiledQuery[] = [];

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "keyward-plans-"));
    path = join(directory, "keyward.db");
    store = new ObservedStore(path, (query) => queries.push(query));
    await store.migrate();
    for (let i = 0; i < 3; i += 1) {
      const of = await insertBelongings(store);
      await store.gatewayKeys.insert(sampleGatewayKey(of, { customerId: of.customer.id }));
      await store.providerKeys.insert(sampleProviderKey(of));
    }
    const events = Array.from({ length: 50 }, (_, i) =>
      sampleEvent({ startedAtMs: SAMPLE_TIME_MS + i, customer: `customer ${i % 9}` }),
    );
    await store.usage.insertBatch({ events, refusals: [] });
  }, TIMEOUT_MS);
  afterAll(async () => {
    await store.close();
    await rm(directory, { recursive: true });
  });

  /** What SQLite would do for the statements that the work reads with. */
  async function plansOf(work: (of: Store) => Promise<unknown>): Promise<readonly string[]> {
    queries = [];
    await work(store);
    const database = new DatabaseSync(path);
    const plans = queries.flatMap((query) =>
      database
        .prepare(`explain query plan ${query.sql}`)
        .all(...(query.parameters as SQLInputValue[]))
        .map((step) => String(step["detail"])),
    );
    database.close();
    return plans;
  }

  /** The first page and a later one. */
  async function pagesOf(
    list: (page: PageRequest) => Promise<{ readonly nextCursor: string | null }>,
  ): Promise<readonly string[]> {
    const { nextCursor } = await list({ limit: 1 });
    expect(nextCursor).not.toBeNull();
    return await plansOf(async () => {
      await list({ limit: 1 });
      await list({ limit: 1, cursor: nextCursor ?? "" });
    });
  }

  test.each([
    ["projects", (of: Store, page: PageRequest) => of.projects.list(page)],
    ["environments", (of: Store, page: PageRequest) => of.environments.list(page)],
    ["provider_accounts", (of: Store, page: PageRequest) => of.providerAccounts.list(page)],
    ["customers", (of: Store, page: PageRequest) => of.customers.list(page)],
    ["gateway_keys", (of: Store, page: PageRequest) => of.gatewayKeys.list(page)],
    ["provider_keys", (of: Store, page: PageRequest) => of.providerKeys.list(page)],
  ])(
    "reads %s in the order of an index, from the cursor on, and sorts nothing",
    async (table, list) => {
      expect(await pagesOf((page) => list(store, page))).toEqual([
        `SCAN ${table} USING INDEX ${table}_newest`,
        `SEARCH ${table} USING INDEX ${table}_newest ((created_at_ms,id)<(?,?))`,
      ]);
    },
  );

  test("reads events in the order of an index, from the cursor on, and sorts those of one millisecond", async () => {
    expect(await pagesOf((page) => store.usage.listEvents(page))).toEqual([
      "SCAN usage_events USING INDEX usage_events_newest",
      SORT_WITHIN_MILLISECOND,
      "SEARCH usage_events USING INDEX usage_events_newest (started_at_ms<?)",
      SORT_WITHIN_MILLISECOND,
    ]);
  });

  test("looks for pending usage that is due in the order of an index of what is waited for", async () => {
    const plans = await plansOf(async ({ pendingUsage }) => {
      const times = { nowMs: SAMPLE_TIME_MS, leaseMs: 60_000, horizonMs: 3_600_000 };
      await pendingUsage.claim({ leaseId: ids.create("lea"), ...times, limit: 8 });
      await pendingUsage.list({ limit: 1 });
    });
    expect(plans).toEqual([
      "SCAN pending_usage USING INDEX pending_usage_due",
      "SCAN pending_usage USING INDEX pending_usage_newest",
    ]);
  });

  test("reads alerts in the order of an index by each filter, and finds what is due and what has fired by one", async () => {
    const ruleId = ids.create("alr");
    const page = { limit: 5 };
    const plans = await plansOf(async ({ alerts: { history, deliveries } }) => {
      await history.list(page);
      await history.list(page, { isAcknowledged: false });
      await history.list(page, { ruleId });
      await history.list(page, { kind: "error_rate" });
      await history.findFired(ruleId, [{ period: "a", kind: "model", id: "b" }]);
      await deliveries.listDue(ids.create("ach"), { nowMs: 1, horizonMs: 2, limit: 5 });
      await deliveries.countAttempted(ids.create("ach"), 1);
    });
    expect(plans.filter((plan) => !/VALUES|LIST|CONSTANT/.test(plan))).toEqual([
      "SCAN alerts USING INDEX alerts_newest",
      "SCAN alerts USING INDEX alerts_unacknowledged",
      "SEARCH alerts USING INDEX alerts_by_rule (rule_id=?)",
      "SEARCH alerts USING INDEX alerts_by_kind (kind=?)",
      "SEARCH alerts USING COVERING INDEX alerts_key_unique (rule_id=? AND period=? AND subject_kind=? AND subject_id=?)",
      "SEARCH alert_deliveries USING INDEX alert_deliveries_waiting (channel_id=?)",
      "SEARCH alert_deliveries USING COVERING INDEX alert_deliveries_attempted (channel_id=? AND last_attempt_at_ms>?)",
    ]);
  });

  const at = { fromMs: SAMPLE_TIME_MS, toMs: SAMPLE_TIME_MS + 1_000_000 };
  const project = { projectId: ids.create("prj") };
  test.each<[string, EventFilter, string]>([
    ["project", project, "by_project (project_id=?)"],
    ["environment", { environmentId: ids.create("env") }, "by_environment (environment_id=?)"],
    ["gateway key", { gatewayKeyId: ids.create("key") }, "by_gateway_key (gateway_key_id=?)"],
    ["customer", { customer: "a" }, "by_customer (customer=?)"],
    ["feature", { feature: "a" }, "by_feature (feature=?)"],
    ["model", { model: "a" }, "by_model (model=?)"],
    ["status", { status: "failed" }, "by_status (status=?)"],
    ["client token", { clientTokenId: ids.create("ctk") }, "by_client_token (client_token_id=?)"],
    ["request", { requestId: "a" }, "by_request (request_id=?)"],
    ["time", at, "newest (started_at_ms>? AND started_at_ms<?)"],
    [
      "customer and time",
      { customer: "a", ...at },
      "by_customer (customer=? AND started_at_ms>? AND started_at_ms<?)",
    ],
    [
      "project and time",
      { ...project, ...at },
      "by_project (project_id=? AND started_at_ms>? AND started_at_ms<?)",
    ],
  ])(
    "finds events by %s with the index of that filter and sorts those of one millisecond",
    async (_, filter, index) => {
      const plans = await plansOf((of) => of.usage.listEvents({ limit: 5 }, filter));
      expect(plans).toEqual([
        `SEARCH usage_events USING INDEX usage_events_${index}`,
        SORT_WITHIN_MILLISECOND,
      ]);
    },
  );

  test("finds calls that succeeded, which nearly all do, among all in their order", async () => {
    const status = "succeeded";
    const plans = await plansOf(async (of) => {
      await of.usage.listEvents({ limit: 5 }, { status });
      await of.usage.listEvents({ limit: 5 }, { status, customer: "a" });
    });
    expect(plans).toEqual([
      "SCAN usage_events USING INDEX usage_events_newest",
      SORT_WITHIN_MILLISECOND,
      "SEARCH usage_events USING INDEX usage_events_by_customer (customer=?)",
      SORT_WITHIN_MILLISECOND,
    ]);
  });

  test.each<[string, EventFilter]>([
    ["request", { requestId: "a", customer: "a", environmentId: ids.create("env") }],
    ["client_token", { clientTokenId: ids.create("ctk"), gatewayKeyId: ids.create("key") }],
    ["customer", { customer: "a", model: "a", projectId: ids.create("prj") }],
  ])(
    "of several filters takes the index of the one that leaves least: %s",
    async (name, filter) => {
      const [plan] = await plansOf((of) => of.usage.listEvents({ limit: 5 }, filter));
      expect(plan).toMatch(`SEARCH usage_events USING INDEX usage_events_by_${name} (`);
    },
  );

  test("goes on within a filter from the cursor on, not from the beginning of the range", async () => {
    const filter = { customer: "customer 1", ...at };
    const [, , later] = await pagesOf((page) => store.usage.listEvents(page, filter));
    expect(later).toBe(
      "SEARCH usage_events USING INDEX usage_events_by_customer (customer=? AND started_at_ms>? AND started_at_ms<?)",
    );
  });

  test("sorts no more for any two filters of events at once", async () => {
    const filters: readonly EventFilter[] = [
      project,
      { environmentId: ids.create("env") },
      { gatewayKeyId: ids.create("key") },
      { customer: "a" },
      { feature: "a" },
      { model: "a" },
      { status: "failed" },
      at,
    ];
    for (const one of filters) {
      for (const other of filters) {
        const plans = await plansOf((of) =>
          of.usage.listEvents({ limit: 5 }, { ...one, ...other }),
        );
        expect(plans[0]).toMatch(/^SEARCH usage_events USING INDEX/);
        expect(plans.slice(1)).toEqual([SORT_WITHIN_MILLISECOND]);
      }
    }
  });

  test("finds keys by environment, project, customer and account with the index of that filter", async () => {
    const environmentId = ids.create("env");
    const plans = await plansOf(async ({ gatewayKeys, providerKeys }) => {
      const page = { limit: 5 };
      await gatewayKeys.list(page, { environmentId });
      await gatewayKeys.list(page, project);
      await gatewayKeys.list(page, { customerId: ids.create("cus") });
      await providerKeys.list(page, { environmentId });
      await providerKeys.list(page, { accountId: ids.create("acc") });
      await providerKeys.listActive(environmentId);
      await gatewayKeys.countUnrevoked(environmentId, 10);
    });
    expect(plans).toEqual([
      "SEARCH gateway_keys USING INDEX gateway_keys_by_environment (environment_id=?)",
      "SEARCH gateway_keys USING INDEX gateway_keys_by_project (project_id=?)",
      "SEARCH gateway_keys USING INDEX gateway_keys_by_customer (customer_id=?)",
      "SEARCH provider_keys USING INDEX provider_keys_by_environment (environment_id=?)",
      "SEARCH provider_keys USING INDEX provider_keys_by_account (account_id=?)",
      "SEARCH provider_keys USING INDEX provider_keys_by_environment (environment_id=?)",
      "CO-ROUTINE counted",
      "SEARCH gateway_keys USING INDEX gateway_keys_unrevoked (environment_id=?)",
      "SCAN counted",
    ]);
  });

  test("looks a row up by its name, hash or fingerprint, and changes by their sequence", async () => {
    const plans = await plansOf(async (of) => {
      await of.gatewayKeys.findByHash("a");
      await of.adminTokens.findActiveByHash("a");
      await of.customers.findByExternalId("a");
      await of.projects.findByName("a");
      await of.providerKeys.findActiveByFingerprint("a");
      await of.rotation.rotations.findByOldSecret("a");
      await of.rotation.rotations.listLookIds(5);
      await of.rotation.provisions.listLookIds(5);
      await of.rotation.adminKeys.listByFingerprint("a");
      await of.changes.listSince(1, 5);
      await of.changes.latestSequence();
    });
    expect(plans).toEqual([
      "SEARCH gateway_keys USING INDEX gateway_keys_hash_unique (hash=?)",
      "SEARCH gateway_key_secrets USING INDEX sqlite_autoindex_gateway_key_secrets_1 (hash=?)",
      "SEARCH admin_tokens USING INDEX admin_tokens_hash_unique (hash=?)",
      "SEARCH customers USING INDEX customers_external_id_unique (external_id=?)",
      "SEARCH projects USING INDEX projects_name_unique (name=?)",
      "SEARCH provider_keys USING INDEX provider_keys_fingerprint_unique (fingerprint=?)",
      "SEARCH rotations USING INDEX rotations_by_old_fingerprint (old_fingerprint=?)",
      "SEARCH rotations USING COVERING INDEX rotations_to_look_after (look_at_ms>? AND look_at_ms<?)",
      "SEARCH provisions USING COVERING INDEX provisions_to_look_after (look_at_ms>? AND look_at_ms<?)",
      "SEARCH provider_admin_keys USING INDEX provider_admin_keys_by_fingerprint (fingerprint=?)",
      "SEARCH change_log USING INTEGER PRIMARY KEY (rowid>?)",
      "SEARCH change_log",
    ]);
  });

  test("reads of the rollups only the hours, the customer or the key that are asked for", async () => {
    const plans = await plansOf(async ({ usage }) => {
      const page = { limit: 5 };
      await usage.summarize(page, { groupBy: [], ...at });
      await usage.summarize(page, { groupBy: ["hour"], ...at });
      await usage.summarize(page, { groupBy: [], filter: { customer: "a" }, ...at });
      await usage.summarize(page, {
        groupBy: [],
        filter: { gatewayKeyId: ids.create("key") },
        ...at,
      });
      await usage.summarizeRefusals(at);
    });
    expect(plans).toEqual([
      "SEARCH usage_rollups USING PRIMARY KEY (hour_ms>? AND hour_ms<?)",
      "SEARCH usage_rollups USING PRIMARY KEY (hour_ms>? AND hour_ms<?)",
      "SEARCH usage_rollups USING INDEX usage_rollups_by_customer (customer=? AND hour_ms>? AND hour_ms<?)",
      "SEARCH usage_rollups USING INDEX usage_rollups_by_gateway_key (gateway_key_id=? AND hour_ms>? AND hour_ms<?)",
      "SEARCH refusal_rollups USING PRIMARY KEY (hour_ms>? AND hour_ms<?)",
      "USE TEMP B-TREE FOR GROUP BY",
    ]);
  });
});
