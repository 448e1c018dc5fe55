import { describe, expect, it } from "vitest";
import { NOW_MS, adminUnderTest, call, postOf } from "../../../test/support/admin-under-test.ts";
import { createTokenAuthenticator } from "../authenticator.ts";

const PRICE = {
  provider: "openai",
  model: "gpt-4o-mini",
  usdPerMillionTokens: { input: "0.1", output: "0.4" },
};

const idOf = (answer: { body: unknown }) => (answer.body as { id: string }).id;

describe("price overrides", () => {
  const admin = adminUnderTest();
  const create = (body: unknown) => admin.post("/price-overrides", body);
  const costAt = async (at: string) => {
    const { provider, model } = PRICE;
    const quantities = { input: 1_000_000 };
    const { body } = await admin.post("/prices/estimate", { provider, model, at, quantities });
    return (body as { costUsd: string | null }).costUsd;
  };

  it("hold at once for what begins while they are valid, and are listed as they were set", async () => {
    const created = await create({
      ...PRICE,
      usdPerUnit: { audioMinute: "0.006", thousandWebSearches: "10" },
      validFrom: "2026-02-01",
      validUntil: "2026-03-01T00:00:00Z",
      note: "contract 7",
    });
    expect(created).toMatchObject({ status: 201 });
    expect(created.body).toEqual({
      id: idOf(created),
      provider: "openai",
      model: "gpt-4o-mini",
      tier: "default",
      variant: null,
      usdPerMillionTokens: { input: "0.1", output: "0.4" },
      usdPerUnit: { audioMinute: "0.006", thousandWebSearches: "10" },
      discountPercent: null,
      validFrom: "2026-02-01T00:00:00.000Z",
      validUntil: "2026-03-01T00:00:00.000Z",
      note: "contract 7",
      createdBy: "local",
      createdAt: new Date(NOW_MS).toISOString(),
      endedBy: null,
      endedAt: null,
    });
    expect((await admin.get("/price-overrides")).body).toEqual({
      data: [created.body],
      nextCursor: null,
    });
    const costs = [
      "2026-01-31T23:59:59.999Z",
      "2026-02-01",
      "2026-02-28T23:59:59.999Z",
      "2026-03-01",
    ].map(costAt);
    expect(await Promise.all(costs)).toEqual(["0.15", "0.1", "0.1", "0.15"]);
  });

  it("are discounts, too, of a whole provider on every tier", async () => {
    const created = await create({ provider: "openai", model: "*", discountPercent: "12.5" });
    expect(created.body).toMatchObject({
      tier: null,
      usdPerMillionTokens: null,
      usdPerUnit: null,
      discountPercent: "12.5",
    });
    expect(await costAt("2026-02-01")).toBe("0.13125");
    expect((await admin.get("/price-overrides?provider=azure")).body).toMatchObject({ data: [] });
  });

  it("are refused where they would share an instant with another, by name and time", async () => {
    const first = await create({ ...PRICE, validUntil: "2026-06-01" });
    const second = await create({ ...PRICE, validFrom: "2026-05-31T23:59:59.999Z" });
    expect(second).toMatchObject({ status: 409, body: { error: { code: "conflict" } } });
    expect(second.text).toContain(idOf(first));
    expect(second.text).toContain("2026-06-01T00:00:00.000Z");
    expect((await create({ ...PRICE, validFrom: "2026-06-01" })).status).toBe(201);
    expect((await create({ ...PRICE, tier: "batch" })).status).toBe(201);
    expect((await create({ ...PRICE, model: "gpt-4o-mini*" })).status).toBe(201);
  });

  it("are added once of two that are added at the same moment", async () => {
    const answers = await Promise.all([create(PRICE), create(PRICE), create(PRICE)]);
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([201, 409, 409]);
  });

  it("end earlier and are never altered, by whom and when is kept", async () => {
    const created = await create(PRICE);
    const end = (body: unknown) => admin.post(`/price-overrides/${idOf(created)}/end`, body);
    expect(await costAt("2026-02-15")).toBe("0.1");
    admin.nowMs = NOW_MS + 1000;
    const ended = await end({ at: "2026-02-10" });
    expect(ended).toMatchObject({
      status: 200,
      body: {
        validUntil: "2026-02-10T00:00:00.000Z",
        endedBy: "local",
        endedAt: new Date(NOW_MS + 1000).toISOString(),
      },
    });
    expect([await costAt("2026-02-09"), await costAt("2026-02-10")]).toEqual(["0.1", "0.15"]);
    expect(await end({ at: "2026-02-11" })).toMatchObject({ status: 409 });
    expect((await end({})).body).toMatchObject({
      validUntil: new Date(NOW_MS + 1000).toISOString(),
    });
    expect((await end({ at: "2025-01-01" })).body).toMatchObject({ error: { param: "at" } });
    expect((await end({ at: new Date(NOW_MS).toISOString() })).status).toBe(200);
    expect((await create(PRICE)).status).toBe(201);
    expect(await admin.post("/price-overrides/pov_nothing/end", {})).toMatchObject({ status: 404 });
  });

  it("say which admin token set them", async () => {
    const extraToken = ["kw", "admin", "extra"].join("_");
    const authenticator = createTokenAuthenticator({
      ...admin.store.access,
      nowMs: Date.now,
      adminTokens: admin.store.adminTokens,
      extraToken,
    });
    const app = admin.appWith({ authenticator });
    const headers = { authorization: `Bearer ${extraToken}` };
    const created = await call(app, "/price-overrides", postOf(PRICE, headers));
    expect(created.body).toMatchObject({ createdBy: "KEYWARD_ADMIN_TOKEN" });
  });

  it.each([
    [{ ...PRICE, provider: "opneai" }, "provider", "did you mean openai?"],
    [{ ...PRICE, provider: "simulator" }, "provider", "charges nothing"],
    [{ ...PRICE, model: "gpt*4" }, "model", "one `*` at the end"],
    [{ ...PRICE, usdPerMillionTokens: {} }, "usdPerMillionTokens", "must name a price"],
    [{ ...PRICE, usdPerMillionTokens: { input: "-1" } }, "usdPerMillionTokens.input", "from 0"],
    [{ ...PRICE, usdPerMillionTokens: { input: "1e3" } }, "usdPerMillionTokens.input", "decimal"],
    [{ ...PRICE, usdPerMillionTokens: { input: 1 } }, "usdPerMillionTokens.input", "string"],
    [
      { ...PRICE, usdPerMillionTokens: { input: "0.0000001" } },
      "usdPerMillionTokens.input",
      "multiple of 0.000001 USD for a million tokens",
    ],
    [
      { ...PRICE, usdPerUnit: { audioMinute: "0.00000001" } },
      "usdPerUnit.audioMinute",
      "multiple of 0.00000006 USD for a minute of audio",
    ],
    [
      { ...PRICE, usdPerMillionTokens: { inptu: "1" } },
      "usdPerMillionTokens.inptu",
      "did you mean `input`?",
    ],
    [{ ...PRICE, discountPercent: "10" }, "discountPercent", "must stand alone"],
    [
      { provider: "openai", model: "*", discountPercent: "100.01" },
      "discountPercent",
      "percentage",
    ],
    [{ provider: "openai", model: "*", discountPercent: "0" }, "discountPercent", "more than 0"],
    [
      { ...PRICE, validFrom: "2026-02-02", validUntil: "2026-02-02" },
      "validUntil",
      "must be after `validFrom`",
    ],
  ])("are refused with the reason when they make no sense (%#)", async (body, param, reason) => {
    const refused = await create(body);
    expect(refused).toMatchObject({ status: 400, body: { error: { param } } });
    expect(refused.text).toContain(reason.replaceAll('"', '\\"'));
    expect((await admin.get("/price-overrides")).body).toMatchObject({ data: [] });
  });
});

describe("an environment's policy for models without a price", () => {
  const admin = adminUnderTest();
  const change = (id: string, body: unknown) =>
    call(admin.app, `/environments/${id}`, { ...postOf(body), method: "PATCH" });

  it("is to allow and alert, until it is changed by name or id", async () => {
    const listed = await admin.get("/environments");
    expect(listed.text.match(/"unpricedPolicy":"allow_and_alert"/g)).toHaveLength(3);
    const changed = await change("production", { unpricedPolicy: "refuse" });
    expect(changed.body).toMatchObject({ name: "production", unpricedPolicy: "refuse" });
    const { id } = changed.body as { id: string };
    expect(await admin.store.environments.findByName("production")).toMatchObject({
      unpricedPolicy: "refuse",
    });
    expect((await change(id, { unpricedPolicy: "allow_and_alert" })).status).toBe(200);
    const created = { name: "preview", kind: "staging", unpricedPolicy: "refuse" };
    expect((await admin.post("/environments", created)).body).toMatchObject(created);
  });

  it("is refused where there is no such environment or policy", async () => {
    expect((await change("nowhere", { unpricedPolicy: "refuse" })).status).toBe(404);
    const refused = await change("production", { unpricedPolicy: "ask" });
    expect(refused.body).toMatchObject({ error: { param: "unpricedPolicy" } });
  });
});
