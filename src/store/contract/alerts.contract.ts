import { describe, expect, test } from "vitest";
import type { AlertRecord, AlertRuleRecord } from "../alert-records.ts";
import { InvalidCursorError, UniqueViolationError } from "../store.ts";
import { sampleAlert, sampleBatch, sampleChannel, sampleRule } from "./alert-samples.contract.ts";
import { type CreateTestDatabase, readAll, useDatabase } from "./fixture.contract.ts";
import { ids, SAMPLE_TIME_MS } from "./samples.contract.ts";

const DUE = { nowMs: SAMPLE_TIME_MS, horizonMs: 7_200_000 };

export function describeAlerts(createDatabase: CreateTestDatabase): void {
  describe("alert channels and rules", () => {
    const fixture = useDatabase(createDatabase);

    test("come back as they were inserted, oldest first, with their seal to the byte", async () => {
      const { channels, rules } = fixture.store.alerts;
      const mail = sampleChannel({
        kind: "email",
        preview: "",
        recipients: ["ops@example.com", "ö@example.com"],
        sender: "Keyward <kw@example.com>",
        isEnabled: false,
      });
      const hook = sampleChannel();
      for (const channel of [mail, hook]) await channels.insert(channel);
      expect(await channels.listAll()).toEqual([mail, hook]);
      expect(await channels.findByName(hook.name)).toEqual(hook);
      expect(await channels.findById(ids.create("ach"))).toBeUndefined();
      const scoped = sampleRule({
        condition: { kind: "spend_spike", settings: { percentOfUsual: 400, minUsd: "0.5" } },
        scope: { kind: "customer", id: "acme" },
        repeat: "day",
        channelIds: [hook.id],
        isEnabled: false,
      });
      const each = sampleRule({ scope: { kind: "environment", id: null } });
      const plain = sampleRule();
      for (const rule of [scoped, each, plain]) await rules.insert(rule);
      expect(await rules.listAll()).toEqual([scoped, each, plain]);
      expect(await rules.findById(each.id)).toEqual(each);
      expect(await rules.findByName(plain.name)).toEqual(plain);
    });

    test("are changed and removed while they are there; a name is theirs alone", async () => {
      const { channels, rules } = fixture.store.alerts;
      const [channel, other] = [sampleChannel(), sampleChannel()];
      const [rule, another] = [sampleRule(), sampleRule()];
      expect(await channels.update(channel)).toBe(false);
      expect(await rules.update(rule)).toBe(false);
      for (const one of [channel, other]) await channels.insert(one);
      for (const one of [rule, another]) await rules.insert(one);
      const changed = { ...channel, name: "new", isEnabled: false, recipients: ["a@b.example"] };
      expect(await channels.update(changed)).toBe(true);
      expect(await channels.findById(channel.id)).toEqual(changed);
      const changedRule: AlertRuleRecord = {
        ...rule,
        name: "new",
        channelIds: [],
        isEnabled: false,
      };
      expect(await rules.update(changedRule)).toBe(true);
      expect(await rules.findById(rule.id)).toEqual(changedRule);
      const taken = { field: "name" };
      for (const attempt of [
        () => channels.insert(sampleChannel({ name: other.name })),
        () => channels.update({ ...changed, name: other.name }),
        () => rules.insert(sampleRule({ name: another.name })),
        () => rules.update({ ...rule, name: another.name }),
      ]) {
        const error = await attempt().catch((caught: unknown) => caught);
        expect(error).toBeInstanceOf(UniqueViolationError);
        expect(error).toMatchObject(taken);
      }
      expect([await channels.remove(channel.id), await channels.remove(channel.id)]).toEqual([
        true,
        false,
      ]);
      expect([await rules.remove(rule.id), await rules.remove(rule.id)]).toEqual([true, false]);
    });

    test("that an installation begins with are made once, also by several processes and after they were removed", async () => {
      const { store, database } = fixture;
      const makers = [store, database.open(), database.open()];
      const made = await Promise.all(
        makers.map((one) => one.alerts.rules.insertDefaults([sampleRule({ name: "first" })])),
      );
      expect(made.flat()).toHaveLength(1);
      const [rule] = await store.alerts.rules.listAll();
      expect(rule?.name).toBe("first");
      if (rule !== undefined) await store.alerts.rules.remove(rule.id);
      expect(await store.alerts.rules.insertDefaults([sampleRule()])).toEqual([]);
      expect(await store.alerts.rules.listAll()).toEqual([]);
    });

    test("of a kind that is new are made once, beside those that the team has, whatever they are called", async () => {
      const { rules } = fixture.store.alerts;
      const old = sampleRule({ name: "old" });
      await rules.insertDefaults([old]);
      await rules.remove(old.id);
      const own = sampleRule({ name: "new" });
      await rules.insert(own);
      const condition = { kind: "unpriced_model", settings: {} } as const;
      const fresh = sampleRule({ name: "new", condition });
      const added = await rules.insertDefaults([sampleRule({ name: "old" }), fresh]);
      expect(added).toEqual([{ ...fresh, name: "new 2" }]);
      expect(new Set(await rules.listAll())).toEqual(new Set([own, ...added]));
      expect(await rules.insertDefaults([fresh])).toEqual([]);
    });

    test("tell how the last attempt through a channel went", async () => {
      const { channels } = fixture.store.alerts;
      const channel = sampleChannel();
      await channels.insert(channel);
      await channels.noteAttempt(channel.id, { atMs: 5, problem: "answered 500" });
      expect(await channels.findById(channel.id)).toMatchObject({
        lastDeliveredAtMs: null,
        lastFailedAtMs: 5,
        lastProblem: "answered 500",
      });
      await channels.noteAttempt(channel.id, { atMs: 9, problem: null });
      expect(await channels.findById(channel.id)).toMatchObject({
        lastDeliveredAtMs: 9,
        lastFailedAtMs: 5,
        lastProblem: null,
      });
    });
  });

  describe("an alert", () => {
    const fixture = useDatabase(createDatabase);

    test("fires once by rule, subject and period, from one process however many try", async () => {
      const { store, database } = fixture;
      const channel = sampleChannel();
      await store.alerts.channels.insert(channel);
      const wanted = Array.from({ length: 30 }, () => sampleAlert({ ruleId: ids.create("alr") }));
      const again = () => wanted.map((alert) => ({ ...alert, id: ids.create("alt") }));
      const fired = await Promise.all(
        [store, database.open(), database.open()].flatMap((one) =>
          [0, 1].map(() => one.alerts.history.fire([sampleBatch(again(), [channel])])),
        ),
      );
      expect(fired.flat()).toHaveLength(30);
      const rows = await readAll(7, (page) => store.alerts.history.list(page));
      expect(rows).toHaveLength(30);
      expect(new Set(rows.map(({ key }) => key.id)).size).toBe(30);
      // A message that brought nothing new is not sent.
      const messages = new Set(rows.map(({ messageId }) => messageId));
      const due = await store.alerts.deliveries.listDue(channel.id, { ...DUE, limit: 100 });
      expect(due.map(({ messageId }) => messageId).toSorted()).toEqual([...messages].toSorted());
      expect(await store.alerts.history.fire([sampleBatch(again(), [channel])])).toEqual([]);
    });

    test("of another period, subject or rule is another alert", async () => {
      const { history } = fixture.store.alerts;
      const alert = sampleAlert();
      const { key } = alert;
      const others = [
        alert,
        { ...alert, id: ids.create("alt"), ruleId: ids.create("alr") },
        { ...alert, id: ids.create("alt"), key: { ...key, id: "another" } },
        { ...alert, id: ids.create("alt"), key: { ...key, kind: "feature" as const } },
        { ...alert, id: ids.create("alt"), key: { ...key, period: "bud_1 100 %" } },
      ];
      expect(await history.fire([sampleBatch(others, [])])).toHaveLength(5);
      const never = { ...key, period: "never" };
      expect(await history.findFired(alert.ruleId, [never, key])).toEqual([key]);
      expect(await history.findFired(alert.ruleId, [])).toEqual([]);
      const many = Array.from({ length: 600 }, (_, index) => ({ ...key, id: `none ${index}` }));
      expect(await history.findFired(alert.ruleId, [...many, key])).toEqual([key]);
    });

    test("comes back as it was, is listed newest first page by page, and by each filter", async () => {
      const { store } = fixture;
      const { history } = store.alerts;
      const alerts = Array.from({ length: 7 }, (_, index) =>
        sampleAlert({
          createdAtMs: SAMPLE_TIME_MS + (index % 3) * 1_000,
          kind: index % 2 === 0 ? "error_rate" : "spend_spike",
          severity: index === 0 ? "critical" : "info",
          ruleId: ids.create("alr"),
        }),
      );
      await history.fire(
        alerts.map((alert) => ({ messageId: alert.messageId, alerts: [alert], deliveries: [] })),
      );
      const expected = alerts.toSorted(
        (a, b) => b.createdAtMs - a.createdAtMs || (a.id < b.id ? 1 : -1),
      );
      for (const limit of [1, 3, 7]) {
        expect(await readAll(limit, (page) => history.list(page))).toEqual(expected);
      }
      const [first] = alerts;
      const idsOf = async (filter: Parameters<typeof history.list>[1]) =>
        (await history.list({ limit: 10 }, filter)).rows.map(({ id }) => id).toSorted();
      const idsWhere = (isMeant: (alert: AlertRecord) => boolean) =>
        alerts
          .filter(isMeant)
          .map(({ id }) => id)
          .toSorted();
      expect(await idsOf({ kind: "error_rate" })).toEqual(
        idsWhere(({ kind }) => kind === "error_rate"),
      );
      expect(await idsOf({ severity: "critical" })).toEqual([first?.id]);
      expect(await idsOf({ ruleId: first?.ruleId })).toEqual([first?.id]);
      expect(await idsOf({ fromMs: SAMPLE_TIME_MS + 1_000, toMs: SAMPLE_TIME_MS + 2_000 })).toEqual(
        idsWhere(({ createdAtMs }) => createdAtMs === SAMPLE_TIME_MS + 1_000),
      );
      const { nextCursor } = await history.list({ limit: 1 });
      await expect(
        store.projects.list({ limit: 1, cursor: nextCursor ?? "" }),
      ).rejects.toBeInstanceOf(InvalidCursorError);
    });

    test("is acknowledged once, by whom and with what they say", async () => {
      const { history } = fixture.store.alerts;
      const [alert, other] = [sampleAlert(), sampleAlert()];
      await history.fire([sampleBatch([alert, other], [])]);
      const by = { atMs: SAMPLE_TIME_MS + 5, actor: "anna", note: "on it" };
      expect(await history.acknowledge(alert.id, by)).toBe(true);
      expect(await history.acknowledge(alert.id, { ...by, actor: "ben" })).toBe(false);
      expect(await history.acknowledge(ids.create("alt"), by)).toBe(false);
      expect(await history.findById(alert.id)).toMatchObject({
        acknowledgedAtMs: SAMPLE_TIME_MS + 5,
        acknowledgedBy: "anna",
        note: "on it",
      });
      const page = { limit: 5 };
      expect((await history.list(page, { isAcknowledged: true })).rows).toHaveLength(1);
      expect((await history.list(page, { isAcknowledged: false })).rows).toMatchObject([
        { id: other.id },
      ]);
    });

    test("tells what else is in its message", async () => {
      const { history } = fixture.store.alerts;
      const batch = sampleBatch([sampleAlert(), sampleAlert(), sampleAlert()], []);
      await history.fire([batch]);
      const { alerts, total } = await history.listOfMessage(batch.messageId, 2);
      expect(alerts).toEqual(batch.alerts.slice(0, 2));
      expect(total).toBe(3);
    });
  });
}
