import { describe, expect, it } from "vitest";
import { adminUnderTest, call } from "../../../test/support/admin-under-test.ts";

const secretOf = (letter: string) => ["sk", "proj", letter.repeat(40)].join("-");

interface Rule {
  readonly id: string;
  readonly model: string;
  readonly position: number;
  readonly providerKeys: number;
}

const ruleOf = (answer: { readonly body: unknown }) => answer.body as Rule;

describe("routing rules", () => {
  const admin = adminUnderTest();

  const create = (rule: object) =>
    admin.post("/routing-rules", { environment: "staging", ...rule });
  const patch = (id: string, change: object, path = "routing-rules") =>
    call(admin.app, `/${path}/${id}`, {
      method: "PATCH",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(change),
    });
  const remove = (id: string) => call(admin.app, `/routing-rules/${id}`, { method: "DELETE" });

  async function order(environment = "staging"): Promise<string[]> {
    const { body } = await admin.get(`/routing-rules?environment=${environment}`);
    return (body as { data: Rule[] }).data.map(({ model, position }) => `${position} ${model}`);
  }

  async function addKey(account: string, environment: string, letter: string, weight?: number) {
    await admin.post("/provider-accounts", {
      name: account,
      provider: "openai",
      kind: "organization",
    });
    const secret = secretOf(letter);
    const body = { accountId: account, environment, name: account, secret };
    return admin.post("/provider-keys", weight === undefined ? body : { ...body, weight });
  }

  async function test(query: string) {
    return (await admin.get(`/routing-rules/test?environment=staging&${query}`)).body;
  }

  it("keep their order, wherever one is put, moved to or taken from", async () => {
    for (const model of ["a", "b", "c"]) await create({ model, targetModel: "x" });
    const first = ruleOf(await create({ model: "d*", targetModel: "x", position: 1 }));
    expect(await order()).toEqual(["1 d*", "2 a", "3 b", "4 c"]);
    await patch(first.id, { position: 3 });
    expect(await order()).toEqual(["1 a", "2 b", "3 d*", "4 c"]);
    await remove(first.id);
    expect(await order()).toEqual(["1 a", "2 b", "3 c"]);
    const late = ruleOf(await create({ model: "e", targetModel: "x", position: 200 }));
    expect(late.position).toBe(4);
    await patch(late.id, { model: "f" });
    expect(await order()).toEqual(["1 a", "2 b", "3 c", "4 f"]);
    expect(await order("production")).toEqual([]);
    const { body } = await admin.get("/routing-rules");
    expect((body as { data: Rule[] }).data).toHaveLength(4);
  });

  it("are told one by one, and are gone after they were removed", async () => {
    const rule = ruleOf(await create({ model: "a", targetModel: "x" }));
    expect((await admin.get(`/routing-rules/${rule.id}`)).body).toEqual(rule);
    expect((await remove(rule.id)).body).toEqual(rule);
    for (const answer of [
      await admin.get(`/routing-rules/${rule.id}`),
      await remove(rule.id),
      await patch(rule.id, { model: "b" }),
      await remove("nonsense"),
    ]) {
      expect(answer.status).toBe(404);
    }
  });

  it("say how many keys they allow, and lose a target by null", async () => {
    await addKey("eu", "staging", "a");
    await addKey("us", "staging", "b");
    const rule = ruleOf(await create({ model: "a", accountId: "eu", targetModel: "x" }));
    expect(rule.providerKeys).toBe(1);
    const changed = await patch(rule.id, { accountId: null });
    expect(changed.body).toMatchObject({ accountId: null, targetModel: "x", providerKeys: 2 });
    const empty = await patch(rule.id, { targetModel: null });
    expect(empty.status).toBe(400);
    expect(empty.text).toContain("must name an account, a provider or a target model");
  });

  it.each([
    [{ model: "a" }, "must name an account"],
    [{ model: "g*t", targetModel: "x" }, "at its end"],
    [{ model: "", targetModel: "x" }, "model"],
    [{ model: "a", targetModel: "x*" }, "without"],
    [{ model: "a", provider: "opena" }, "did you mean `openai`"],
    [{ model: "a", accountId: "nobody" }, "no provider account"],
    [{ model: "a", accountId: "eu", provider: "simulator" }, "is one at `openai`"],
    [{ model: "a", targetModel: "x", position: 0 }, "position"],
    [{ model: "a", targetModel: "x", acount: "eu" }, "acount"],
  ])("refuse %j", async (rule, reason) => {
    await addKey("eu", "staging", "a");
    const answer = await create(rule);
    expect(answer.status).toBe(400);
    expect(answer.text).toContain(reason);
  });

  it("are at most 200 an environment", async () => {
    for (let i = 0; i < 200; i += 1) await create({ model: `m${i}`, targetModel: "x" });
    expect((await create({ model: "one-more", targetModel: "x" })).status).toBe(409);
  }, 60_000);

  it("are tried out without a call: by rule, by weight, and what is left out", async () => {
    await addKey("eu", "staging", "a", 3);
    await addKey("us", "staging", "b");
    await addKey("spare", "staging", "c", 0);
    await addKey("elsewhere", "production", "d");
    const rule = ruleOf(await create({ model: "fast", targetModel: "gpt-4o-mini" }));
    expect(await test("model=fast")).toMatchObject({
      sentModel: "gpt-4o-mini",
      ruleId: rule.id,
      outcome: "provider",
      ways: [
        { name: "eu", share: 0.75 },
        { name: "us", share: 0.25 },
        { name: "spare", share: 0 },
      ],
      leftOut: [],
    });
    await create({ model: "gpt-4*", accountId: "us" });
    expect(await test("model=gpt-4o")).toMatchObject({
      ways: [{ name: "us", share: 1 }],
      leftOut: [
        { name: "eu", reason: "rule" },
        { name: "spare", reason: "rule" },
      ],
    });
    expect(await test("model=o3")).toMatchObject({ ruleId: null, outcome: "provider" });
  });

  it("are said to refuse where they allow no key", async () => {
    await addKey("elsewhere", "production", "d");
    expect(await test("model=gpt-4o")).toMatchObject({ refusedWith: "no_provider_key" });
    await create({ model: "gpt-4o", accountId: "elsewhere" });
    expect(await test("model=gpt-4o")).toMatchObject({
      outcome: "refused",
      refusedWith: "routing_rule_unusable",
      ways: [],
    });
  });

  it("leave a provider key's weight to be changed on its own", async () => {
    const added = await addKey("eu", "staging", "a");
    const { id } = added.body as { id: string };
    expect(added.body).toMatchObject({ weight: 1, health: null });
    expect((await patch(id, { weight: 0 }, "provider-keys")).body).toMatchObject({ weight: 0 });
    expect((await admin.get(`/provider-keys/${id}`)).body).toMatchObject({ weight: 0 });
    for (const weight of [-1, 1.5, 1001, "2"]) {
      expect((await patch(id, { weight }, "provider-keys")).status).toBe(400);
    }
    expect((await patch("pky_nobody", { weight: 1 }, "provider-keys")).status).toBe(404);
  });

  it("show a key's health where a server runs", async () => {
    const added = await addKey("eu", "staging", "a");
    const { id } = added.body as { id: string };
    const app = admin.appWith({
      providerKeyHealth: () => ({
        circuit: "open",
        circuitOpenForMs: 1000,
        rests: [
          {
            reason: "rate_limited",
            scope: { owner: "account", calls: "model", model: "gpt-4o" },
            forMs: 2000,
          },
        ],
      }),
    });
    expect((await call(app, `/provider-keys/${id}`)).body).toMatchObject({
      health: {
        circuit: "open",
        openUntil: "2026-01-31T09:00:01.000Z",
        rests: [{ reason: "rate_limited", owner: "account", model: "gpt-4o" }],
      },
    });
  });
});
