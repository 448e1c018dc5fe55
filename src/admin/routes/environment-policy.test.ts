import { describe, expect, it } from "vitest";
import { adminUnderTest, call, NOW_MS } from "../../../test/support/admin-under-test.ts";
import type { GatewayKeyId } from "../../core/ids/ids.ts";

const secretOf = (text: string) => ["sk", "proj", text.repeat(40)].join("-");

describe("an environment's policy", () => {
  const admin = adminUnderTest();
  const patch = (name: string, body: object) =>
    call(admin.app, `/environments/${name}/policy`, {
      method: "PATCH",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
  const policyOf = async (name: string) => (await admin.get(`/environments/${name}/policy`)).body;
  const addAccount = async (kind: "personal" | "organization") =>
    (
      (await admin.post("/provider-accounts", { name: kind, provider: "openai", kind })).body as {
        id: string;
      }
    ).id;
  const addKey = (accountId: string, environment: string, text: string) =>
    admin.post("/provider-keys", { accountId, environment, name: "main", secret: secretOf(text) });

  it("is its kind's until something is said, and again when that is taken back", async () => {
    expect(await policyOf("production")).toMatchObject({
      environment: "production",
      rules: { no_browser_calls: "enforce", no_personal_keys: "enforce" },
      allowedIps: null,
      maxOutputTokens: null,
      violations: [],
    });
    const changed = await patch("production", {
      rules: { no_browser_calls: "warn", no_personal_keys: "off" },
      allowedIps: ["10.0.0.0/8"],
      allowedModels: ["gpt-4o*"],
      allowedEndpoints: ["/v1/embeddings"],
      maxOutputTokens: 4096,
    });
    expect(changed.body).toMatchObject({
      rules: { no_browser_calls: "warn", no_personal_keys: "off", allowed_ips: "enforce" },
      allowedIps: ["10.0.0.0/8"],
      allowedModels: ["gpt-4o*"],
      allowedEndpoints: ["embeddings"],
      maxOutputTokens: 4096,
    });
    await patch("production", { rules: { no_browser_calls: null }, allowedIps: null });
    expect(await policyOf("production")).toMatchObject({
      rules: { no_browser_calls: "enforce", no_personal_keys: "off" },
      allowedIps: null,
      maxOutputTokens: 4096,
    });
    expect(await policyOf("staging")).toMatchObject({ rules: { no_browser_calls: "enforce" } });
  });

  it("loses nothing when two change it at once, and notes each change", async () => {
    const before = await admin.store.changes.latestSequence();
    await Promise.all([
      patch("staging", { maxOutputTokens: 100 }),
      patch("staging", { rules: { allowed_ips: "warn" } }),
      patch("staging", { allowedModels: ["gpt-4o"] }),
    ]);
    expect(await policyOf("staging")).toMatchObject({
      maxOutputTokens: 100,
      rules: { allowed_ips: "warn" },
      allowedModels: ["gpt-4o"],
    });
    expect(await admin.store.changes.listSince(before, 10)).toHaveLength(3);
  });

  it("names everything that is wrong with a change, and changes nothing", async () => {
    const refused = await patch("staging", {
      rules: { no_browsers: "off", allowed_ips: "maybe" },
      allowedIps: ["10.0.0.1/8"],
      allowedModels: ["*gpt"],
      maxOutputTokens: 1,
    });
    expect(refused.status).toBe(400);
    const { problems } = (refused.body as { error: { problems: { param: string }[] } }).error;
    expect(problems).toHaveLength(5);
    expect(await policyOf("staging")).toMatchObject({ allowedIps: null });
    expect((await patch("nowhere", {})).status).toBe(404);
    expect((await admin.get("/environments/nowhere/policy")).status).toBe(404);
  });

  it("decides which provider keys are taken, and shows those that it has come to refuse", async () => {
    const [personal, ours] = [await addAccount("personal"), await addAccount("organization")];
    expect((await addKey(personal, "production", "a")).status).toBe(409);
    const warned = await addKey(personal, "staging", "a");
    expect(warned.status).toBe(201);
    expect(warned.body).toMatchObject({
      warnings: [expect.stringContaining("a person's") as string],
    });
    await patch("production", { rules: { no_personal_keys: "off" } });
    expect((await addKey(personal, "production", "b")).body).toMatchObject({ warnings: [] });
    expect(await policyOf("production")).toMatchObject({ violations: [] });
    await patch("production", { rules: { no_personal_keys: null } });
    expect(await policyOf("production")).toMatchObject({
      violations: [
        {
          rule: "no_personal_keys",
          mode: "enforce",
          subject: { kind: "providerKey" },
          calls: null,
        },
      ],
    });

    const shared = "one_environment_per_provider_key";
    expect((await addKey(ours, "development", "c")).status).toBe(201);
    await patch("staging", { rules: { [shared]: "off" } });
    const refused = await addKey(ours, "staging", "c");
    expect(refused.status).toBe(409);
    expect(refused.text).toContain("`development`");
    expect(refused.text).not.toContain(secretOf("c"));
    await patch("development", { rules: { [shared]: "warn" } });
    const taken = await addKey(ours, "staging", "c");
    expect(taken.body).toMatchObject({
      warnings: [expect.stringContaining("`development`") as string],
    });
    expect(await policyOf("development")).toMatchObject({
      violations: [{ rule: shared, mode: "warn" }],
    });
    expect((await addKey(ours, "staging", "c")).status).toBe(409);
  });

  it("tells of a key of the simulator in production, where it is added and for as long as it is there", async () => {
    const account = { name: "sim", provider: "simulator", kind: "organization" };
    const accountId = ((await admin.post("/provider-accounts", account)).body as { id: string }).id;
    const add = (environment: string) =>
      admin.post("/provider-keys", {
        accountId,
        environment,
        name: "sim",
        secret: `none-needed-${environment}`,
      });
    expect((await add("staging")).body).toMatchObject({ warnings: [] });
    const warnings = [expect.stringContaining("made up") as string];
    const added = await add("production");
    expect(added.status).toBe(201);
    expect(added.body).toMatchObject({ warnings });
    const { id } = added.body as { id: string };
    expect(await policyOf("production")).toMatchObject({
      violations: [{ rule: "no_simulator_keys", mode: "warn", subject: { id }, calls: null }],
    });
    await patch("staging", { rules: { no_simulator_keys: "enforce" } });
    expect((await add("staging")).status).toBe(409);
    expect(await policyOf("staging")).toMatchObject({
      violations: [{ rule: "no_simulator_keys", mode: "enforce" }],
    });
  });

  it("shows the keys whose calls of the last day broke it, of this environment alone", async () => {
    const issue = async (environment: string) =>
      (
        (await admin.post("/keys", { name: environment, environment })).body as {
          id: GatewayKeyId;
        }
      ).id;
    const [ours, theirs] = [await issue("production"), await issue("staging")];
    const hourMs = NOW_MS;
    const refusal = { hourMs, customer: null };
    await admin.store.usage.insertBatch({
      events: [],
      refusals: [
        { ...refusal, code: "browser_call_refused", gatewayKeyId: ours, count: 3 },
        { ...refusal, code: "ip_not_allowed.warned", gatewayKeyId: ours, count: 2, customer: "a" },
        { ...refusal, code: "ip_not_allowed.warned", gatewayKeyId: ours, count: 2 },
        { ...refusal, code: "browser_call_refused", gatewayKeyId: theirs, count: 5 },
        { ...refusal, code: "browser_call_refused", gatewayKeyId: null, count: 5 },
      ],
    });
    expect(await policyOf("production")).toMatchObject({
      violations: [
        { rule: "no_browser_calls", mode: "enforce", calls: 3, subject: { id: ours } },
        { rule: "allowed_ips", mode: "warn", calls: 4, subject: { id: ours } },
      ],
    });
    const { data } = (await admin.get("/usage/refusals")).body as { data: unknown[] };
    expect(data).toEqual([{ code: "browser_call_refused", calls: 13 }]);
    // What a key's own limits are refused by as well is shown where the environment has such a rule.
    const batch = { ...refusal, code: "model_not_allowed", gatewayKeyId: ours, count: 1 };
    await admin.store.usage.insertBatch({ events: [], refusals: [batch] });
    expect(await policyOf("production")).toMatchObject({ violations: [{}, {}] });
    await patch("production", { allowedModels: ["gpt-4o*"] });
    const said = "1 call of the last day was refused, by it or by the key's own limits.";
    expect((await policyOf("production")) as object).toMatchObject({
      violations: expect.arrayContaining([
        expect.objectContaining({ rule: "allowed_models", mode: "enforce", message: said }),
      ]) as unknown,
    });
    admin.nowMs += 26 * 3_600_000;
    expect(await policyOf("production")).toMatchObject({ violations: [] });
  });
});
