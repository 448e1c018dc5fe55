import { expect, test } from "vitest";
import { alertsUnderTest } from "../../../test/support/alerts-under-test.ts";
import { DAY_MS } from "../../core/alerts/alert-period.ts";
import { sampleLeak } from "../../store/contract/exposure.contract.ts";
import { insertBelongings } from "../../store/contract/samples.contract.ts";
import type { LeakRecord } from "../../store/exposure-repositories.ts";

const alerts = alertsUnderTest();
const KEY_LEAKED = { kind: "key_leaked", settings: {} } as const;

async function leak(overrides: Partial<LeakRecord> = {}): Promise<LeakRecord> {
  const record = sampleLeak({
    id: alerts.ids.create("lek"),
    createdAtMs: alerts.nowMs,
    ...overrides,
  });
  expect(await alerts.store.exposure.leaks.insert(record)).toBe(true);
  return record;
}

test("a leak fires once, in whichever process and however long it stays; another secret of the key fires again", async () => {
  const { environment } = await insertBelongings(alerts.store);
  await alerts.addRule(KEY_LEAKED, { repeat: null });
  const first = await leak({ environmentId: environment.id, name: "bot" });
  expect([await alerts.evaluate(), await alerts.evaluate()]).toEqual([1, 0]);
  alerts.nowMs += 2 * DAY_MS;
  expect(await alerts.evaluate()).toBe(0);
  await leak({ subjectId: first.subjectId, environmentId: environment.id });
  expect(await alerts.evaluate()).toBe(1);
  expect((await alerts.alerts()).at(-1)).toMatchObject({
    severity: "critical",
    title: `Gateway key bot of ${environment.name} has leaked and was revoked`,
    key: { kind: "key", id: first.subjectId },
    command: `keyward usage events --key ${first.subjectId}`,
  });
});

test("a provider key's leak says how to replace its secret, and a name never stands in a command", async () => {
  await alerts.addRule(KEY_LEAKED, { repeat: null });
  const of = { name: "$(reboot)", environmentId: null, place: null, source: null };
  const { subjectId } = await leak({ ...of, kind: "providerKey", outcome: "still_valid" });
  await leak({
    ...of,
    kind: "adminToken",
    subjectId: "KEYWARD_ADMIN_TOKEN",
    outcome: "still_valid",
  });
  await leak({ ...of, outcome: "still_valid" });
  await leak({ ...of, outcome: "old_secret_ended" });
  expect(await alerts.evaluate()).toBe(4);
  const fired = await alerts.alerts();
  const commands = fired.map(({ command }) => command);
  expect(commands).toContain(`keyward provider-keys rotate ${subjectId} --compromise`);
  for (const command of commands) expect(command).not.toContain("reboot");
});

test("an old secret is to be deleted at the provider, and an account's admin key to be replaced", async () => {
  await alerts.addRule(KEY_LEAKED, { repeat: null });
  const of = { environmentId: null, place: null, source: null };
  const old = await leak({ ...of, kind: "providerKey", outcome: "old_secret_valid" });
  const accountId = alerts.ids.create("acc");
  const subject = { kind: "providerAdminKey", subjectId: accountId, name: "main" } as const;
  await leak({ ...of, ...subject, outcome: "still_valid" });
  expect(await alerts.evaluate()).toBe(2);
  const fired = await alerts.alerts();
  const shown = fired.map(({ key, command }) => [key.kind, key.id, command].join(", "));
  expect(shown.toSorted()).toEqual([
    `providerAccount, ${accountId}, keyward provider-accounts set-admin-key ${accountId}`,
    `providerKey, ${old.subjectId}, keyward rotations list --key ${old.subjectId}`,
  ]);
});

test("what was only noted fires nothing, nor what is older than a month, nor what a rule is not about", async () => {
  const { environment } = await insertBelongings(alerts.store);
  const elsewhere = { kind: "environment", id: environment.id } as const;
  await alerts.addRule(KEY_LEAKED, { repeat: null, scope: elsewhere });
  await leak({ environmentId: environment.id, outcome: "noted" });
  await leak({ environmentId: environment.id, createdAtMs: alerts.nowMs - 31 * DAY_MS });
  await leak();
  expect(await alerts.evaluate()).toBe(0);
  await leak({ environmentId: environment.id });
  expect(await alerts.evaluate()).toBe(1);
});
