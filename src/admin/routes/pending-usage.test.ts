import { beforeEach, describe, expect, it } from "vitest";
import { adminUnderTest, NOW_MS } from "../../../test/support/admin-under-test.ts";
import { pendingCall } from "../../../test/support/sample-calls.ts";
import type { UsageEvent } from "../../core/usage/usage-event.ts";
import { type AdminClient, expectData } from "../client.ts";

const listed = (client: AdminClient, state: "waiting" | "given_up") =>
  client.GET("/usage/pending", { params: { query: { state } } }).then(expectData);

describe("pending usage", () => {
  const admin = adminUnderTest();
  let events: readonly UsageEvent[] = [];

  beforeEach(async () => {
    const { store, deps } = admin;
    const project = await store.projects.findByName("default");
    const environment = await store.environments.findByName("production");
    if (!project || !environment) throw new Error("the first start's rows are missing");
    events = [0, 1, 2].map((index) =>
      pendingCall(deps.ids, {
        projectId: project.id,
        environmentId: environment.id,
        startedAtMs: NOW_MS + index,
      }),
    );
    await store.usage.insertBatch({ events, refusals: [] });
  });

  async function giveUp(event: UsageEvent): Promise<void> {
    const { pendingUsage } = admin.store;
    const leaseId = admin.deps.ids.create("lea");
    await pendingUsage.claim({
      leaseId,
      nowMs: NOW_MS + 60_000,
      leaseMs: 1_000,
      horizonMs: 1e9,
      limit: 10,
    });
    for (const { id } of events) {
      const lease = { id, leaseId };
      if (id !== event.id) await pendingUsage.release(lease);
      else await pendingUsage.giveUp(lease, { checkedAtMs: NOW_MS, problem: "not_found" });
    }
  }

  it("lists what is waited for with the names of whom it belongs to, newest first and by pages", async () => {
    const first = expectData(
      await admin.client.GET("/usage/pending", { params: { query: { limit: 2 } } }),
    );
    expect(first.data.map(({ id }) => id)).toEqual([events[2]?.id, events[1]?.id]);
    expect(first.data[0]).toMatchObject({
      requestId: events[2]?.requestId,
      kind: "batch",
      objectId: events[2]?.providerResponseId,
      state: "waiting",
      problem: null,
      checks: 0,
      createdAt: "2026-01-31T09:00:00.002Z",
      nextCheckAt: "2026-01-31T09:00:15.002Z",
      givenUpAt: null,
      project: "default",
      environment: "production",
      customer: "acme",
    });
    const query = { limit: 2, cursor: first.nextCursor ?? "" };
    const rest = expectData(await admin.client.GET("/usage/pending", { params: { query } }));
    expect(rest).toMatchObject({ data: [{ id: events[0]?.id }], nextCursor: null });
  });

  it("tells what was given up from what is waited for, and asks again when told to", async () => {
    const [lost] = events;
    if (lost === undefined) throw new Error("no event");
    await giveUp(lost);
    expect((await listed(admin.client, "waiting")).data).toHaveLength(2);
    expect((await listed(admin.client, "given_up")).data).toMatchObject([
      { id: lost.id, state: "given_up", problem: "not_found", nextCheckAt: null, checks: 1 },
    ]);
    const retried = expectData(
      await admin.client.POST("/usage/pending/{id}/retry", { params: { path: { id: lost.id } } }),
    );
    expect(retried).toMatchObject({ state: "waiting", checks: 0, givenUpAt: null });
    expect((await listed(admin.client, "given_up")).data).toEqual([]);
  });

  it("refuses an id that is not pending, a state that there is not and a field it does not know", async () => {
    const id = admin.deps.ids.create("evt");
    for (const path of [id, "resp_1"]) {
      const answer = await admin.post(`/usage/pending/${path}/retry`);
      expect(answer.status).toBe(404);
      expect(answer.body).toMatchObject({ error: { code: "not_found", param: "id" } });
    }
    const answer = await admin.get("/usage/pending?state=lost&kind=batch");
    expect(answer.body).toMatchObject({ error: { problems: [{}, {}] } });
  });
});
