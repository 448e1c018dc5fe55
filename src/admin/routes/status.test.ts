import { DatabaseSync } from "node:sqlite";
import { describe, expect, it } from "vitest";
import { adminUnderTest, call, postOf } from "../../../test/support/admin-under-test.ts";
import { sampleRotationOf } from "../../../test/support/rotation-under-test.ts";
import type { ProviderKeyId } from "../../core/ids/ids.ts";
import { ownershipOf } from "../../core/keys/ownership.ts";

describe("status", () => {
  const admin = adminUnderTest();
  const newSecret = () => ["sk", "proj", admin.deps.ids.create("req").repeat(2)].join("-");
  const addKey = async (provider: string, kind: string) => {
    await admin.post("/provider-accounts", { name: provider + kind, provider, kind });
    const body = { accountId: provider + kind, environment: "production", name: provider + kind };
    expect((await admin.post("/provider-keys", { ...body, secret: newSecret() })).status).toBe(201);
  };
  const production = async () => {
    const { environments } = (await admin.get("/status")).body as {
      environments: readonly { readonly name: string }[];
    };
    return environments.find(({ name }) => name === "production");
  };
  const setRules = async (rules: object) => {
    const request = { ...postOf({ rules }), method: "PATCH" };
    expect((await call(admin.app, "/environments/production/policy", request)).status).toBe(200);
  };

  it("says what runs, on what schema, and who answers in each environment", async () => {
    await admin.post("/provider-accounts", {
      name: "main",
      provider: "openai",
      kind: "organization",
    });
    const secret = ["sk", "proj", "x".repeat(30)].join("-");
    const body = { accountId: "main", environment: "production", name: "main", secret };
    expect((await admin.post("/provider-keys", body)).status).toBe(201);
    await admin.post("/keys", { environment: "staging", name: "bot" });
    const revoked = await admin.post("/keys", { environment: "staging", name: "old" });
    await admin.post(`/keys/${(revoked.body as { id: string }).id}/revoke`);
    const { status, body: answer } = await admin.get("/status");
    expect(status).toBe(200);
    expect(answer).toMatchObject({
      version: "1.2.3",
      time: "2026-01-31T09:00:00.000Z",
      startedAt: "2026-01-31T09:00:00.000Z",
      urls: ["http://keyward.test"],
      store: {
        kind: "sqlite",
        schema: admin.store.supportedSchema,
        supportedSchema: admin.store.supportedSchema,
      },
      rootKey: { id: admin.deps.vault.rootKey.id },
      ledger: null,
    });
    const { environments } = answer as {
      environments: Record<"name" | "activeProviderKeys" | "keys" | "answeredBy", unknown>[];
    };
    expect(
      environments.map((each) => [each.name, each.activeProviderKeys, each.keys, each.answeredBy]),
    ).toEqual([
      ["production", 1, 0, "provider"],
      ["staging", 0, 1, "nobody"],
      ["development", 0, 0, "simulator"],
    ]);
  });

  it("tells keys that are the simulator's, and those that a policy shuts out, from a provider's", async () => {
    await addKey("simulator", "organization");
    const simulated = { activeProviderKeys: 1, refusedProviderKeys: 0, simulatorKeys: 1 };
    expect(await production()).toMatchObject({ ...simulated, answeredBy: "simulator" });
    await setRules({ no_personal_keys: "warn" });
    await addKey("openai", "personal");
    const mixed = { activeProviderKeys: 2, refusedProviderKeys: 0, simulatorKeys: 1 };
    expect(await production()).toMatchObject({ ...mixed, answeredBy: "provider" });
    await setRules({ no_personal_keys: "enforce" });
    const left = { activeProviderKeys: 2, refusedProviderKeys: 1, simulatorKeys: 1 };
    expect(await production()).toMatchObject({ ...left, answeredBy: "simulator" });
    await setRules({ no_simulator_keys: "enforce" });
    const none = { activeProviderKeys: 2, refusedProviderKeys: 2, simulatorKeys: 0 };
    expect(await production()).toMatchObject({ ...none, answeredBy: "nobody" });
  });

  it("shows the processes that run, the silent ones as such, and which one answers", async () => {
    const { ids, store, serverInfo } = admin.deps;
    const [answering, silent, ended] = ["prc", "prc", "prc"].map(() => ids.create("prc"));
    for (const id of [answering, silent, ended]) {
      const dataDirectoryId = ids.create("dir");
      if (id === undefined) continue;
      await store.processes.register({
        id,
        dataDirectoryId,
        hostName: "gateway-1",
        pid: 7,
        version: "1",
      });
    }
    await store.processes.end(ended ?? ids.create("prc"));
    const database = new DatabaseSync(admin.databasePath);
    database
      .prepare("update processes set heartbeat_at_ms = heartbeat_at_ms - 10000 where id = ?")
      .run(silent ?? null);
    database.close();
    const app = admin.appWith({ serverInfo: { ...serverInfo, processId: answering ?? null } });
    const { body } = await call(app, "/status");
    const { processes } = body as { processes: { id: string }[] };
    expect(processes.toSorted((a, b) => (a.id < b.id ? -1 : 1))).toMatchObject([
      { id: answering, hostName: "gateway-1", pid: 7, state: "running", isAnswering: true },
      { id: silent, state: "silent", isAnswering: false },
    ]);
  });

  it("says whose the keys of an account are, against what was declared, and which are to be rotated soon", async () => {
    const { store } = admin;
    await admin.post("/provider-accounts", { name: "a", provider: "openai", kind: "organization" });
    const add = async (environment: string, name: string, secret: string) => {
      const body = { accountId: "a", environment, name, secret };
      const { body: key } = await admin.post("/provider-keys", body);
      return (key as { id: ProviderKeyId }).id;
    };
    const rest = "x".repeat(30);
    const id = await add("production", "main", ["sk", "proj", rest].join("-"));
    await add("staging", "main", ["sk", "svcacct", rest].join("-"));
    await add("development", "mine", ["sk", "None", rest].join("-"));
    const person = ownershipOf({ organizationHeader: "user-1" });
    await store.rotation.keyFacts.noteOwnership(id, person, admin.nowMs);
    await store.rotation.keyFacts.setSchedule(id, 30);
    const statusAfter = async (days: number) => {
      admin.nowMs += days * 86_400_000;
      return (await admin.get("/status")).body;
    };
    expect(await statusAfter(22)).toMatchObject({
      accounts: [
        {
          account: "a",
          declared: "organization",
          organizationKeys: 1,
          personalKeys: 2,
          unknownKeys: 0,
          conflicts: [
            {
              keyId: id,
              environment: "production",
              owner: "user",
              source: "response",
              detail: "openai-organization: user-…",
              rule: "enforce",
            },
            { key: "mine", environment: "development", source: "prefix", rule: "off" },
          ],
        },
      ],
      rotationsDue: [],
    });
    const due = { keyId: id, dueAt: "2026-03-02T09:00:00.000Z", isAutomatic: false };
    expect(await statusAfter(1)).toMatchObject({ rotationsDue: [due] });
    expect(await statusAfter(30)).toMatchObject({ rotationsDue: [due] });
    const key = await store.providerKeys.findById(id);
    if (key === undefined) throw new Error("the key is there");
    await store.rotation.rotations.insert(sampleRotationOf(admin.deps, key, admin.nowMs));
    expect(await statusAfter(0)).toMatchObject({ rotationsDue: [] });
  });

  it("shows the ledger where one runs", async () => {
    const app = admin.appWith({
      ledgerStatus: () => ({
        openIntents: 2,
        pendingEvents: 3,
        journalBytes: 4096,
        lastFlushAtMs: admin.nowMs,
        lastFlushError: "disk full",
        flushFailures: 1,
      }),
    });
    const { body } = await call(app, "/status");
    expect(body).toMatchObject({
      ledger: {
        openIntents: 2,
        pendingEvents: 3,
        journalBytes: 4096,
        lastFlushAt: "2026-01-31T09:00:00.000Z",
        lastFlushError: "disk full",
      },
    });
  });
});
