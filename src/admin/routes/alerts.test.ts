import { beforeEach, describe, expect, test } from "vitest";
import { adminUnderTest, call, NOW_MS } from "../../../test/support/admin-under-test.ts";
import { ALERT_KINDS } from "../../core/alerts/alert-rule.ts";
import {
  sampleAlert,
  sampleBatch,
  sampleChannel,
} from "../../store/contract/alert-samples.contract.ts";

const admin = adminUnderTest();
const SECRET_PATH = ["services", "T0", "B0", "x".repeat(24)].join("/");
const HOOK = `https://hooks.slack.com/${SECRET_PATH}9fQa`;

const patch = (path: string, body: unknown) =>
  call(admin.app, path, {
    method: "PATCH",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
const remove = (path: string) => call(admin.app, path, { method: "DELETE" });

async function addSlack(name = "ops"): Promise<string> {
  const { status, body } = await admin.post("/alert-channels", { name, kind: "slack", url: HOOK });
  expect(status).toBe(201);
  return (body as { id: string }).id;
}

describe("/alert-channels", () => {
  test("takes a URL into the vault and answers with its end alone, everywhere", async () => {
    const id = await addSlack();
    const made = await admin.get(`/alert-channels/${id}`);
    expect(made.body).toMatchObject({
      name: "ops",
      kind: "slack",
      preview: "hooks.slack.com/…9fQa",
      isEnabled: true,
      lastDeliveredAt: null,
      waiting: 0,
      givenUp: 0,
    });
    const listed = await admin.get("/alert-channels");
    const changed = await patch("/alert-channels/ops", { isEnabled: false });
    expect(changed.body).toMatchObject({ isEnabled: false });
    for (const { text } of [made, listed, changed]) expect(text).not.toContain("xxxx");
    expect((await remove(`/alert-channels/${id}`)).status).toBe(200);
    expect((await admin.get("/alert-channels/ops")).status).toBe(404);
  });

  test("shows a webhook's signing secret once", async () => {
    const url = "https://example.com/hook";
    const made = await admin.post("/alert-channels", { name: "hook", kind: "webhook", url });
    expect(made.body).toMatchObject({ signingSecret: expect.stringMatching(/^whsec_/) as string });
    expect((await admin.get("/alert-channels/hook")).text).not.toContain("whsec_");
  });

  test.each<[string, object, readonly string[]]>([
    ["a private address", { kind: "slack", url: "https://10.0.0.1/x" }, ["url"]],
    ["this machine", { kind: "webhook", url: "http://localhost:9/x" }, ["url"]],
    ["plain http", { kind: "webhook", url: "http://example.com/x" }, ["url"]],
    ["a metadata service", { kind: "webhook", url: "https://169.254.169.254/" }, ["url"]],
    ["no URL", { kind: "slack", url: "ftp://example.com" }, ["url"]],
    ["none at all", { kind: "slack" }, ["url"]],
    ["what it has not", { kind: "slack", url: HOOK, sender: "a@b.example" }, ["sender"]],
    ["mail without anything", { kind: "email" }, ["smtpUrl", "sender", "recipients"]],
    [
      "a header for an address",
      {
        kind: "email",
        smtpUrl: "smtps://mail.example.com",
        sender: "a@b.example",
        recipients: ["ops@example.com\r\nBcc: eve@evil.example"],
      },
      ["recipients.0"],
    ],
    [
      "a mail server in a private network",
      {
        kind: "email",
        smtpUrl: "smtp://192.168.0.9:25",
        sender: "a@b.example",
        recipients: ["ops@example.com"],
      },
      ["smtpUrl"],
    ],
  ])("refuses %s", async (_, fields, params) => {
    const { status, body } = await admin.post("/alert-channels", { name: "x", ...fields });
    expect(status).toBe(400);
    const { error } = body as { error: { message: string; param: string } };
    expect(error.param).toBe(params[0]);
    for (const param of params) expect(error.message).toContain(param.split(".")[0]);
    expect(await admin.store.alerts.channels.listAll()).toEqual([]);
  });

  test("refuses a name that is taken", async () => {
    await addSlack();
    const again = await admin.post("/alert-channels", { name: "ops", kind: "slack", url: HOOK });
    expect(again.status).toBe(409);
    await addSlack("other");
    expect((await patch("/alert-channels/other", { name: "ops" })).status).toBe(409);
  });

  test("sends a test and says how it went", async () => {
    await addSlack();
    const sent: string[] = [];
    const app = admin.appWith({
      sendAlert: (channel, { type }) => {
        sent.push(`${channel.name} ${type}`);
        return Promise.resolve({
          kind: "failed",
          problem: "answered 404",
          retryAfterMs: undefined,
        });
      },
    });
    const tested = await call(app, "/alert-channels/ops/test", { method: "POST" });
    expect(tested.body).toEqual({ isDelivered: false, problem: "answered 404", isEnabled: true });
    expect((await admin.get("/alert-channels/ops")).body).toMatchObject({
      lastProblem: "answered 404",
      lastFailedAt: expect.any(String) as string,
    });
    expect(sent).toEqual(["ops alert.test"]);
  });
});

describe("/alert-rules", () => {
  test("makes a rule of every kind out of its name, with what is usual", async () => {
    for (const kind of ALERT_KINDS) {
      const made = await admin.post("/alert-rules", { name: `of ${kind}`, kind });
      expect(made.status).toBe(201);
      expect(made.body).toMatchObject({ kind, isEnabled: true, channelIds: null });
    }
    const { body } = await admin.get("/alert-rules");
    expect((body as { data: unknown[] }).data).toHaveLength(ALERT_KINDS.length);
  });

  test("keeps scope, settings and channels, and changes what is named alone", async () => {
    const channelId = await addSlack();
    const made = await admin.post("/alert-rules", {
      name: "production fails",
      kind: "error_rate",
      scope: { kind: "environment", id: "production" },
      settings: { percent: 5 },
      repeat: "hour",
      channels: ["ops"],
    });
    const environment = await admin.store.environments.findByName("production");
    expect(made.body).toMatchObject({
      scope: { kind: "environment", id: environment?.id },
      settings: { percent: 5, minCalls: 20 },
      repeat: "hour",
      channelIds: [channelId],
    });
    const { id } = made.body as { id: string };
    const changed = await patch(`/alert-rules/${id}`, {
      settings: { minCalls: 50 },
      channels: null,
    });
    expect(changed.body).toMatchObject({
      scope: { kind: "environment", id: environment?.id },
      settings: { percent: 5, minCalls: 50 },
      channelIds: null,
    });
    expect((await remove(`/alert-rules/${id}`)).status).toBe(200);
    expect((await patch(`/alert-rules/${id}`, { isEnabled: false })).status).toBe(404);
  });

  test.each<[string, object, string]>([
    ["a setting of another kind", { settings: { days: 3 } }, "settings.days"],
    ["an unknown setting", { settings: { percents: [3] } }, "settings.percents"],
    [
      "a scope that its kind has not",
      { kind: "error_rate", scope: { kind: "providerAccount" } },
      "scope.kind",
    ],
    ["an environment that is not there", { scope: { kind: "environment", id: "x" } }, "scope.id"],
    ["a channel that is not there", { channels: ["nobody"] }, "channels.0"],
    ["a period where budgets have their own", { repeat: "day" }, "repeat"],
    [
      "an amount that is none",
      { kind: "spend_spike", settings: { minUsd: "1e3" } },
      "settings.minUsd",
    ],
  ])("refuses %s", async (_, fields, param) => {
    const input = { name: "x", kind: "budget_threshold", ...fields };
    const { status, body } = await admin.post("/alert-rules", input);
    expect(status).toBe(400);
    expect(body).toMatchObject({ error: { param } });
  });
});

async function fire() {
  const [channel] = await admin.store.alerts.channels.listAll();
  const alert = sampleAlert({ createdAtMs: NOW_MS, ruleName: "budgets" });
  const batch = sampleBatch([alert], channel === undefined ? [] : [channel]);
  await admin.store.alerts.history.fire([batch]);
  return alert;
}

describe("/alerts", () => {
  beforeEach(() => addSlack());

  test("shows what fired and how its delivery goes, and that somebody has seen it", async () => {
    const alert = await fire();
    await fire();
    const shown = await admin.get(`/alerts/${alert.id}`);
    expect(shown.body).toMatchObject({
      state: "open",
      rule: "budgets",
      title: alert.title,
      subject: { kind: "customer" },
      deliveries: [{ channel: "ops", state: "waiting", attempts: 0, problem: null }],
    });
    const acknowledged = await admin.post(`/alerts/${alert.id}/ack`, { note: "on it" });
    expect(acknowledged.body).toMatchObject({ state: "acknowledged", note: "on it" });
    expect((await admin.post(`/alerts/${alert.id}/ack`, { note: "me too" })).body).toMatchObject({
      note: "on it",
    });
    const open = await admin.get("/alerts?state=open&kind=budget_threshold&severity=warning");
    expect((open.body as { data: unknown[] }).data).toHaveLength(1);
    const ofRule = await admin.get(`/alerts?rule=${alert.ruleId}&from=2020-01-01`);
    expect((ofRule.body as { data: unknown[] }).data).toHaveLength(1);
    expect((await admin.get("/alerts?rule=nothing")).status).toBe(400);
    expect((await admin.get("/alerts/alt_1")).status).toBe(404);
    expect((await admin.post("/alerts/alt_1/ack", {})).status).toBe(404);
  });

  test("sends again what was given up", async () => {
    const alert = await fire();
    const { deliveries, history } = admin.store.alerts;
    const record = await history.findById(alert.id);
    const [delivery] = record ? await deliveries.listOfMessage(record.messageId) : [];
    if (delivery === undefined) throw new Error("there is no delivery");
    await deliveries.giveUp({ id: delivery.id, attemptsBefore: 0, atMs: NOW_MS }, "answered 410");
    expect((await admin.get("/alert-channels/ops")).body).toMatchObject({ givenUp: 1 });
    expect((await admin.get(`/alerts/${alert.id}`)).body).toMatchObject({
      deliveries: [{ state: "given_up", problem: "answered 410" }],
    });
    const retried = await admin.post(`/alerts/${alert.id}/retry`);
    expect(retried.body).toMatchObject({ deliveries: [{ state: "waiting", attempts: 0 }] });
  });

  test("are muted until a time, or until somebody ends it", async () => {
    await admin.post("/alert-rules", { name: "fails", kind: "error_rate" });
    const until = new Date(NOW_MS + 3_600_000).toISOString();
    const subject = { kind: "customer", id: "acme" };
    const made = await admin.post("/alerts/mutes", {
      rule: "fails",
      subject,
      until,
      reason: "test",
    });
    expect(made.body).toMatchObject({ subject, until, isActive: true, reason: "test" });
    expect(made.body).toMatchObject({ rule: "fails", warning: expect.any(String) as string });
    const { id } = made.body as { id: string };
    expect((await admin.get("/alerts/mutes")).body).toMatchObject({ data: [{ id }] });
    const ended = await admin.post(`/alerts/mutes/${id}/end`);
    expect(ended.body).toMatchObject({ isActive: false, endedAt: expect.any(String) as string });
    const past = await admin.post("/alerts/mutes", { until: "2020-01-01", rule: "fails" });
    expect(past.body).toMatchObject({ error: { param: "until" } });
    const unknown = await admin.post("/alerts/mutes", { until, rule: "nothing" });
    expect(unknown.body).toMatchObject({ error: { param: "rule" } });
    expect((await admin.post("/alerts/mutes/mut_1/end")).status).toBe(404);
  });

  test("are muted all at once only where that is said", async () => {
    const until = new Date(NOW_MS + 3_600_000).toISOString();
    const nothing = await admin.post("/alerts/mutes", { until });
    expect(nothing.body).toMatchObject({ error: { param: "everything" } });
    const subject = { kind: "organization" };
    const both = await admin.post("/alerts/mutes", { until, subject, everything: true });
    expect(both.status).toBe(400);
    expect(await admin.store.alerts.mutes.listActive(NOW_MS)).toEqual([]);
    const all = await admin.post("/alerts/mutes", { until, everything: true });
    expect(all.body).toMatchObject({ ruleId: null, subject: null, warning: null });
    expect((await admin.post("/alerts/mutes", { until, subject })).body).toMatchObject({
      subject: { kind: "organization", id: "" },
    });
  });

  test("are not muted for good: everything for 30 days at most, a rule or a subject for a year", async () => {
    const subject = { kind: "customer", id: "acme" };
    for (const [what, days] of [
      [{ everything: true }, 30],
      [{ subject }, 366],
    ] as const) {
      const latestMs = NOW_MS + days * 86_400_000;
      const muteUntil = (ms: number) =>
        admin.post("/alerts/mutes", { ...what, until: new Date(ms).toISOString() });
      const forgotten = await muteUntil(Date.UTC(9999, 11, 31));
      expect(forgotten).toMatchObject({ status: 400, body: { error: { param: "until" } } });
      expect(forgotten.text).toContain(`must not be after ${new Date(latestMs).toISOString()}`);
      expect((await muteUntil(latestMs + 1)).status).toBe(400);
      expect((await muteUntil(latestMs)).status).toBe(201);
    }
  });

  test.each(["customer", "environment", "key", "providerKey", "model"])(
    "of a %s are not muted without saying which",
    async (kind) => {
      const until = new Date(NOW_MS + 3_600_000).toISOString();
      const { status, body } = await admin.post("/alerts/mutes", { until, subject: { kind } });
      expect(status).toBe(400);
      expect(body).toMatchObject({ error: { param: "subject.id" } });
    },
  );

  test("are muted by the names of what is there, and what is not there is refused", async () => {
    const until = new Date(NOW_MS + 3_600_000).toISOString();
    const mute = async (kind: string, id: string) =>
      await admin.post("/alerts/mutes", { until, subject: { kind, id } });
    const environment = await admin.store.environments.findByName("production");
    expect((await mute("environment", "production")).body).toMatchObject({
      subject: { kind: "environment", id: environment?.id },
      subjectName: "production",
      warning: null,
    });
    expect((await admin.get("/alerts/mutes")).body).toMatchObject({
      data: [{ subjectName: "production" }],
    });
    for (const kind of ["environment", "project", "providerAccount", "key", "providerKey"]) {
      expect((await mute(kind, "nobody")).body).toMatchObject({ error: { param: "subject.id" } });
    }
    await admin.post("/customers", { externalId: "acme" });
    expect((await mute("customer", "acme")).body).toMatchObject({ warning: null });
    expect((await mute("customer", "nobody")).body).toMatchObject({
      warning: expect.stringContaining("nobody") as string,
    });
  });
});

test("a channel's seal comes from the vault and opens there alone", async () => {
  await addSlack();
  const [record] = await admin.store.alerts.channels.listAll();
  if (record === undefined) throw new Error("there is no channel");
  const context = { environmentId: "alerts", secretId: record.id, version: 1 };
  expect(JSON.parse(await admin.vault.open(record.sealed, context))).toEqual({ url: HOOK });
  const other = { ...context, secretId: sampleChannel().id };
  await expect(admin.vault.open(record.sealed, other)).rejects.toThrow("does not open");
});
