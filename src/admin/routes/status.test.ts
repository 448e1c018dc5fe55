import { DatabaseSync } from "node:sqlite";
import { describe, expect, it } from "vitest";
import { adminUnderTest, call } from "../../../test/support/admin-under-test.ts";

describe("status", () => {
  const admin = adminUnderTest();

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
