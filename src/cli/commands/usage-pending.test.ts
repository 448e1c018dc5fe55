import { randomBytes } from "node:crypto";
import { beforeEach, expect, test } from "vitest";
import { cliUnderTest, NOW_MS } from "../../../test/support/cli-under-test.ts";
import { pendingCall } from "../../../test/support/sample-calls.ts";
import { IdFactory } from "../../core/ids/ids.ts";
import type { UsageEvent } from "../../core/usage/usage-event.ts";

const cli = cliUnderTest();
const ids = new IdFactory({ nowMs: () => NOW_MS, randomBytes });
let event: UsageEvent;

beforeEach(async () => {
  await cli.install();
});

async function insertPending(): Promise<void> {
  await cli.withStore(async (store) => {
    const project = await store.projects.findByName("default");
    const environment = await store.environments.findByName("production");
    if (project === undefined || environment === undefined) throw new Error("no first run");
    const place = { projectId: project.id, environmentId: environment.id, startedAtMs: NOW_MS };
    event = pendingCall(ids, place);
    await store.usage.insertBatch({ events: [event], refusals: [] });
  });
}

async function giveUp(): Promise<void> {
  await cli.withStore(async ({ pendingUsage }) => {
    const leaseId = ids.create("lea");
    const nowMs = NOW_MS + 60_000;
    await pendingUsage.claim({ leaseId, nowMs, leaseMs: 1_000, horizonMs: 1e9, limit: 1 });
    const given = { checkedAtMs: nowMs, problem: "key_refused" } as const;
    await pendingUsage.giveUp({ id: event.id, leaseId }, given);
  });
}

test("nothing that is pending is said in words, and is an empty list in JSON", async () => {
  const { stdout, stderr } = await cli.run(["usage", "pending"]);
  expect(stdout).toBe("");
  expect(stderr).toBe("no pending usage\n");
  expect(await cli.json(["usage", "pending"])).toEqual({ data: [], nextCursor: null });
});

test("what is pending is listed with who it is for and when it is asked for next", async () => {
  await insertPending();
  const { stdout } = await cli.run(["usage", "pending"]);
  expect(stdout).toMatch(/batch +batch_\w+ +waiting +0 +\d{4}-\d\d-\d\d .* production +acme +evt_/);
  const { data } = (await cli.json(["usage", "pending", "--limit", "1"])) as { data: object[] };
  expect(data).toMatchObject([{ id: event.id, state: "waiting" }]);
});

test("what was given up says why, and is asked for again by its id", async () => {
  await insertPending();
  await giveUp();
  const { stdout } = await cli.run(["usage", "pending", "--state", "given_up"]);
  expect(stdout).toContain("given up: key refused");
  const retried = await cli.run(["usage", "retry", event.id]);
  expect(retried.stdout).toContain(event.id);
  expect((await cli.run(["usage", "pending", "--state", "given_up"])).stdout).toBe("");
  expect((await cli.run(["usage", "pending", "--state", "waiting"])).stdout).toContain(event.id);
});

test("an id that is not pending is refused, and so is a state that there is not", async () => {
  const { code, stderr } = await cli.run(["usage", "retry", ids.create("evt")]);
  expect(code).toBe(1);
  expect(stderr).toContain("There is no pending usage of this id");
  expect(stderr).toContain("`keyward usage pending`");
  expect(stderr).not.toContain("usage list");
  expect(await cli.run(["usage", "pending", "--state", "lost"])).toMatchObject({ code: 2 });
});
