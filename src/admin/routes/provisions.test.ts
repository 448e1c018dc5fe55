import { beforeEach, describe, expect, test } from "vitest";
import { adminUnderTest } from "../../../test/support/admin-under-test.ts";
import { OpenaiDouble } from "../../../test/support/openai-double.ts";
import { addDoubledAccount, askDouble } from "../../../test/support/rotation-under-test.ts";
import type { ProvisionId } from "../../core/ids/ids.ts";
import { OpenaiKeyAdministration } from "../../providers/openai/openai-key-administration.ts";
import { type AdminClient, createAdminClient, expectData } from "../client.ts";

const BUDGET = {
  measure: "cost",
  enforcement: "hard",
  onTightBudget: "refuse",
  rollsOver: false,
  timezone: "UTC",
} as const;

describe("provisions", () => {
  const admin = adminUnderTest();
  let double: OpenaiDouble;
  let client: AdminClient;
  let woken: number;
  beforeEach(async () => {
    double = new OpenaiDouble();
    woken = 0;
    const { store, vault } = admin;
    await addDoubledAccount({ store, vault, ids: admin.deps.ids }, double);
    const app = admin.appWith({
      keyDesk: {
        wake: () => (woken += 1),
        tryOldSecret: () => Promise.resolve("unknown"),
        administrationOf: async ({ id }) => {
          if ((await store.rotation.adminKeys.find(id)) === undefined) {
            return { kind: "absent", problem: "the account has no admin key" };
          }
          const baseUrl = "https://double.invalid/v1";
          const deps = { secret: double.adminKey, baseUrl, ask: askDouble(double) };
          return { kind: "ready", administration: new OpenaiKeyAdministration(deps) };
        },
      },
    });
    client = createAdminClient({ baseUrl: "http://keyward.test", fetch: app.fetch });
  });

  const request = { environment: "production", account: "openai-main" };
  const begin = async (changes: object = {}) =>
    client.POST("/provisions", { body: { ...request, ...changes } });

  async function refusalOf(account: string): Promise<string> {
    const { response, error } = await begin({ account });
    return `${response.status} ${JSON.stringify(error)}`;
  }

  async function addRules(): Promise<string> {
    const scope = { kind: "environment", id: "production" } as const;
    const budget = expectData(
      await client.POST("/budgets", {
        body: { ...BUDGET, scope, limitUsd: "10", period: "day" },
      }),
    );
    expectData(await client.POST("/limits", { body: { scope, requestsPerMinute: 60 } }));
    const params = { path: { id: "production" } };
    const body = { allowedModels: ["gpt-4o*"] };
    expectData(await client.PATCH("/environments/{id}/policy", { params, body }));
    return budget.id;
  }

  test("are planned from the environment's own rules, and a plan changes nothing anywhere", async () => {
    const budgetId = await addRules();
    const plan = expectData(await client.POST("/provisions/plan", { body: request }));
    expect(plan).toEqual({
      environment: "production",
      account: "openai-main",
      keyName: "main",
      projectName: "keyward-production-<id>",
      limits: {
        monthlyLimitUsd: "310",
        budgetId,
        models: ["gpt-4o*"],
        requestsPerMinute: 60,
        tokensPerMinute: null,
      },
      conflicts: [],
    });
    expect(expectData(await client.GET("/provisions", {})).data).toEqual([]);
    expect(double.log.filter((line) => !line.startsWith("GET"))).toEqual([]);
  });

  test("without an account is planned for one that is yet to be added", async () => {
    const body = { environment: "staging", monthlyLimitUsd: "12.345" };
    const plan = expectData(await client.POST("/provisions/plan", { body }));
    expect(plan).toMatchObject({
      account: null,
      limits: { monthlyLimitUsd: "12.35", budgetId: null, models: null },
      conflicts: [],
    });
  });

  test("begin with a record that says what is to be made, which is audited", async () => {
    const budgetId = await addRules();
    const begun = expectData(await begin({ keyName: "first" }));
    expect(begun).toMatchObject({
      environment: "production",
      account: "openai-main",
      state: "project",
      projectName: `keyward-production-${begun.id}`,
      projectId: null,
      keyName: "first",
      limits: { monthlyLimitUsd: "310", budgetId },
      canRetry: false,
      canCancel: true,
    });
    expect(woken).toBe(1);
    const params = { path: { id: begun.id } };
    expect(expectData(await client.GET("/provisions/{id}", { params }))).toEqual(begun);
    const { data } = expectData(await client.GET("/audit", {}));
    expect(data[0]).toMatchObject({ action: "provision.created", target: { id: begun.id } });
  });

  test("of one environment are one at a time, of two at once one is refused and told of the other", async () => {
    const answers = await Promise.all([begin(), begin()]);
    expect(
      answers.map(({ response }) => response.status).toSorted((one, other) => one - other),
    ).toEqual([201, 409]);
    const { error } = await begin();
    expect(JSON.stringify(error)).toContain("is being provisioned already");
    expect(JSON.stringify(error)).toContain("keyward provisions show pvn_");
    expect((await begin({ environment: "staging" })).response.status).toBe(201);
  });

  test("are refused, with what to do, where the account or its admin key will not do", async () => {
    const add = async (name: string, changes: object) =>
      expectData(
        await client.POST("/provider-accounts", {
          body: { name, provider: "openai", kind: "organization", ...changes },
        }),
      );
    await add("personal", { kind: "personal" });
    await add("bound", { projectId: "proj_1" });
    await add("keyless", {});
    expect(await refusalOf("personal")).toMatch(/^409 .*is a person's/);
    expect(await refusalOf("bound")).toMatch(/^409 .*no `projectId`/);
    expect(await refusalOf("keyless")).toMatch(/^409 .*no admin key/);
    expect(await refusalOf("nobody")).toMatch(/^400 .*provider-accounts create/);
    double.fault = () => 403;
    expect(await refusalOf("openai-main")).toMatch(
      /^409 .*403.*keyward provider-accounts set-admin-key openai-main/,
    );
    expect(expectData(await client.GET("/provisions", {})).data).toEqual([]);
  });

  test("are refused where the environment has a key of the account, unless another is asked for", async () => {
    const secret = ["sk", "svcacct", "x".repeat(40)].join("-");
    const body = { accountId: "openai-main", environment: "production", name: "main", secret };
    expectData(await client.POST("/provider-keys", { body }));
    const { error } = await begin();
    expect(JSON.stringify(error)).toContain("rotate it, or ask for `another`");
    expect((await begin({ another: true })).response.status).toBe(201);
  });

  test("can be called off until they are done, and retried where they failed", async () => {
    const { id } = expectData(await begin());
    const params = { path: { id } };
    expect((await client.POST("/provisions/{id}/retry", { params })).response.status).toBe(409);
    const called = expectData(await client.POST("/provisions/{id}/cancel", { params }));
    expect(called).toMatchObject({ state: "undo", canCancel: false });
    expect((await client.POST("/provisions/{id}/cancel", { params })).response.status).toBe(409);
    const { provisions } = admin.store.rotation;
    const record = await provisions.findById(id as ProvisionId);
    if (record === undefined) throw new Error("it is open");
    await provisions.save({ ...record, state: "failed", failedIn: "undo", problem: "no" });
    const retried = expectData(await client.POST("/provisions/{id}/retry", { params }));
    expect(retried).toMatchObject({ state: "undo", failedIn: null });
    const missing = { path: { id: "pvn_01JZ6Y4V2S8W3N5R7T9X0B1C2D" } };
    expect((await client.GET("/provisions/{id}", { params: missing })).response.status).toBe(404);
  });
});
