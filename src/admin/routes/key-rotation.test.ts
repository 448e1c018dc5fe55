import { describe, expect, it } from "vitest";
import { adminUnderTest, call, NOW_MS } from "../../../test/support/admin-under-test.ts";
import { hashGatewayKey, parseGatewayKey } from "../../core/keys/gateway-key.ts";

interface Key {
  readonly id: string;
  readonly key: string;
  readonly preview: string;
  readonly oldSecrets: readonly { readonly preview: string; readonly validUntil: string }[];
}

describe("a gateway key's rotation", () => {
  const admin = adminUnderTest();

  async function issue(fields: object = {}): Promise<Key> {
    const issued = await admin.post("/keys", { environment: "production", name: "bot", ...fields });
    expect(issued.status).toBe(201);
    return issued.body as Key;
  }

  const rotate = (id: string, body?: object) => admin.post(`/keys/${id}/rotate`, body);
  const found = (key: string) => admin.store.gatewayKeys.findByHash(hashGatewayKey(key));

  it("gives the same key another secret, shows it this once, and says until when the old one holds", async () => {
    const issued = await issue();
    const rotated = await rotate(issued.id, { overlapSeconds: 60 });
    expect(rotated.status).toBe(200);
    const { key, ...rest } = rotated.body as Key;
    expect(parseGatewayKey(key)).toEqual({ environmentKind: "production" });
    expect(key).not.toBe(issued.key);
    expect(rest).toMatchObject({
      id: issued.id,
      preview: `kw_live_…${key.slice(-4)}`,
      oldSecrets: [{ preview: issued.preview, validUntil: "2026-01-31T09:01:00.000Z" }],
    });
    expect(await found(issued.key)).toMatchObject({
      id: issued.id,
      superseded: { validUntilMs: NOW_MS + 60_000 },
    });
    const { text } = await admin.get(`/keys/${issued.id}`);
    for (const secret of [key, issued.key, hashGatewayKey(key), hashGatewayKey(issued.key)]) {
      expect(text).not.toContain(secret);
    }
    admin.nowMs += 60_000;
    expect((await admin.get(`/keys/${issued.id}`)).body).toMatchObject({ oldSecrets: [] });
  });

  it("overlaps by a day where nothing is said, and not at all where 0 is", async () => {
    const { id } = await issue();
    expect(((await rotate(id)).body as Key).oldSecrets).toMatchObject([
      { validUntil: "2026-02-01T09:00:00.000Z" },
    ]);
    await admin.post(`/keys/${id}/end-overlap`);
    const again = (await rotate(id, { overlapSeconds: 0 })).body as Key;
    expect(again.oldSecrets).toEqual([]);
  });

  it("is taken back while the old secret holds, and not when it has ended", async () => {
    const issued = await issue();
    const rotated = (await rotate(issued.id, { overlapSeconds: 60 })).body as Key;
    const cancel = () => admin.post(`/keys/${issued.id}/cancel-rotation`);
    expect((await cancel()).body).toMatchObject({ preview: issued.preview, oldSecrets: [] });
    expect((await found(issued.key))?.superseded).toBeNull();
    expect(await found(rotated.key)).toMatchObject({ superseded: { reason: "withdrawn" } });
    await rotate(issued.id, { overlapSeconds: 60 });
    admin.nowMs += 60_000;
    const late = await cancel();
    expect(late.status).toBe(409);
    expect(late.text).toContain("Rotate it once more");
  });

  it("ends the overlap when that is asked for, twice as well", async () => {
    const issued = await issue();
    await rotate(issued.id);
    admin.nowMs += 5;
    for (let i = 0; i < 2; i += 1) {
      const ended = await admin.post(`/keys/${issued.id}/end-overlap`);
      expect(ended.body).toMatchObject({ id: issued.id, oldSecrets: [] });
    }
    expect((await found(issued.key))?.superseded?.validUntilMs).toBe(NOW_MS + 5);
  });

  it("is one of several that are asked for at once, and is followed by none within its overlap", async () => {
    const { id, preview } = await issue();
    const answers = await Promise.all([1, 2, 3, 4, 5, 6].map(() => rotate(id)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 409)).toHaveLength(5);
    const refused = answers.find(({ status }) => status === 409);
    for (const word of ["--end-overlap", "--cancel", preview, "2026-02-01T09:00:00.000Z"]) {
      expect(refused?.text).toContain(word);
    }
    const { oldSecrets } = (await admin.get(`/keys/${id}`)).body as Key;
    expect(oldSecrets).toMatchObject([{ preview }]);
    await admin.post(`/keys/${id}/cancel-rotation`);
    expect((await rotate(id)).status).toBe(200);
    admin.nowMs += 86_400_000;
    expect((await rotate(id)).status).toBe(200);
  });

  it("is refused for a key that is revoked, has expired or is not there", async () => {
    const gone = await issue();
    await admin.post(`/keys/${gone.id}/revoke`);
    const expired = await issue({ expiresAt: new Date(NOW_MS + 1000).toISOString() });
    admin.nowMs += 1000;
    expect((await rotate(gone.id)).status).toBe(409);
    expect((await rotate(expired.id)).text).toContain("expiresAt");
    for (const action of ["rotate", "cancel-rotation", "end-overlap"]) {
      const unknown = await admin.post(`/keys/key_01JZ6Y4V2S8W3N5R7T9X0B1C2D/${action}`);
      expect(unknown.status).toBe(404);
    }
    const long = await rotate((await issue()).id, { overlapSeconds: 90 * 86_400 + 1 });
    expect(long.body).toMatchObject({ error: { param: "overlapSeconds" } });
  });

  it("leaves a key's permissions to be changed, one by one", async () => {
    const { id } = await issue({ allowedModels: ["gpt-4o"] });
    const patch = (body: object) =>
      call(admin.app, `/keys/${id}`, {
        method: "PATCH",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(body),
      });
    const allowed = { allowedEndpoints: ["/v1/embeddings", "@text"], allowedIps: ["10.0.0.0/8"] };
    expect((await patch(allowed)).body).toMatchObject({
      name: "bot",
      allowedModels: ["gpt-4o"],
      allowedEndpoints: ["embeddings", "@text"],
      allowedIps: ["10.0.0.0/8"],
    });
    const expiresAt = new Date(NOW_MS + 1000).toISOString();
    const changed = await patch({ allowedModels: null, expiresAt, isForBrowsers: true, name: "b" });
    expect(changed.body).toMatchObject({
      name: "b",
      allowedModels: null,
      allowedEndpoints: ["embeddings", "@text"],
      expiresAt,
      isForBrowsers: true,
    });
    expect((await patch({ expiresAt: null })).body).toMatchObject({ expiresAt: null });
    const refused = await patch({
      allowedEndpoints: ["chat/*"],
      allowedIps: ["10.0.0.1/8", "localhost"],
      customer: "acme",
    });
    expect(refused.status).toBe(400);
    const { problems } = (refused.body as { error: { problems: { param: string }[] } }).error;
    expect(problems.map(({ param }) => param).toSorted()).toEqual([
      "allowedEndpoints.0",
      "allowedIps.0",
      "allowedIps.1",
      "customer",
    ]);
    expect(refused.text).toContain("10.0.0.0/8");
    expect((await patch({ expiresAt: "2020-01-01" })).status).toBe(400);
  });
});

describe("a bulk revocation", () => {
  const admin = adminUnderTest();

  it("revokes what matches every field, after a dry run that says the same and revokes nothing", async () => {
    await admin.post("/customers", { externalId: "acme" });
    const make = async (name: string, environment: string, customer?: string) =>
      ((await admin.post("/keys", { name, environment, customer })).body as Key).id;
    const wanted = [
      await make("ci-1", "production", "acme"),
      await make("ci-2", "production", "acme"),
    ];
    const others = [await make("ci-3", "production"), await make("ci-4", "staging", "acme")];
    const filter = { customer: "acme", keyPrefix: "kw_live_", namePrefix: "ci-" };
    const dry = await admin.post("/keys/revoke", { ...filter, dryRun: true });
    expect(dry.body).toMatchObject({ isDryRun: true, count: 2, isComplete: true });
    const statuses = async (ids: readonly string[]) =>
      await Promise.all(
        ids.map(async (id) => ((await admin.get(`/keys/${id}`)).body as { status: string }).status),
      );
    expect(await statuses(wanted)).toEqual(["active", "active"]);
    const done = await admin.post("/keys/revoke", filter);
    expect(done.body).toMatchObject({ isDryRun: false, count: 2, isComplete: true });
    const { data } = done.body as { data: { id: string; status: string }[] };
    expect(data.map(({ id }) => id).toSorted()).toEqual(wanted.toSorted());
    expect(data.every(({ status }) => status === "revoked")).toBe(true);
    expect(await statuses(wanted)).toEqual(["revoked", "revoked"]);
    expect(await statuses(others)).toEqual(["active", "active"]);
    expect((await admin.post("/keys/revoke", filter)).body).toMatchObject({ count: 0 });
  });

  it("does not revoke everything because nothing was named, or what was named is not there", async () => {
    for (const body of [{}, { dryRun: false }]) {
      const refused = await admin.post("/keys/revoke", body);
      expect(refused.status).toBe(400);
      expect(refused.text).toContain("must be given");
    }
    const unknown = await admin.post("/keys/revoke", { customer: "nobody", environment: "prod" });
    expect(unknown.status).toBe(400);
    expect((unknown.body as { error: { problems: unknown[] } }).error.problems).toHaveLength(2);
  });
});

describe("the report of unused keys", () => {
  const admin = adminUnderTest();

  it("has keys that are old enough and were not used, or never were, with their last use", async () => {
    const make = async (name: string) =>
      ((await admin.post("/keys", { name, environment: "staging" })).body as Key).id;
    const [used, idle] = [await make("used"), await make("idle")];
    const { sampleEvent } = await import("../../store/contract/samples.contract.ts");
    const event = sampleEvent({ gatewayKeyId: used as never, startedAtMs: NOW_MS + 1 });
    await admin.store.usage.insertBatch({ events: [event], refusals: [] });
    const names = async (query: string) => {
      const { body } = await admin.get(`/keys?${query}`);
      return (body as { data: { name: string }[] }).data.map(({ name }) => name);
    };
    expect(await names("neverUsed=true")).toEqual(["idle"]);
    expect(await names("unusedForDays=30")).toEqual([]);
    admin.nowMs += 31 * 86_400_000;
    expect(await names("unusedForDays=30")).toEqual(["idle", "used"]);
    expect(await names("unusedForDays=30&neverUsed=true&environment=staging")).toEqual(["idle"]);
    expect((await admin.get(`/keys/${used}`)).body).toMatchObject({
      lastUsedAt: "2026-01-31T09:00:00.001Z",
    });
    expect((await admin.get(`/keys/${idle}`)).body).toMatchObject({ lastUsedAt: null });
    expect((await admin.get("/keys?unusedForDays=0")).status).toBe(400);
  });
});
