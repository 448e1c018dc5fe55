import { expect, test } from "vitest";
import { alertsUnderTest } from "../../../test/support/alerts-under-test.ts";
import { sampleProvisionOf } from "../../../test/support/rotation-under-test.ts";
import { sampleRotation } from "../../store/contract/rotations.contract.ts";
import { insertBelongings, sampleProviderKey } from "../../store/contract/samples.contract.ts";
import type { RotationRecord } from "../../store/rotation-records.ts";

const alerts = alertsUnderTest();
const ROTATION_FAILED = { kind: "rotation_failed", settings: {} } as const;

async function insertRotation(changes: Partial<RotationRecord> = {}) {
  const of = await insertBelongings(alerts.store);
  const key = sampleProviderKey(of, { name: "main" });
  await alerts.store.providerKeys.insert(key);
  const rotation = sampleRotation(key, { createdAtMs: alerts.nowMs, ...changes });
  await alerts.store.rotation.rotations.insert(rotation);
  return { of, key, rotation, whose: `provider key main of ${of.environment.name}` };
}

async function save(rotation: RotationRecord, changes: Partial<RotationRecord>) {
  const saved = await alerts.store.rotation.rotations.save({ ...rotation, ...changes });
  if (saved === undefined) throw new Error("somebody else saved it");
  return saved;
}

const scope = (kind: "environment" | "providerAccount", id: string | null) =>
  ({ scope: { kind, id }, repeat: null }) as const;

const titles = async () => (await alerts.alerts()).map(({ title }) => title);

test("a rotation that failed is told of once, and again when it failed once more", async () => {
  await alerts.addRule(ROTATION_FAILED, { repeat: null });
  const { rotation, key, whose } = await insertRotation();
  expect(await alerts.evaluate()).toBe(0);
  const problem = "the provider refuses the new secret (401)";
  const failed = { state: "failed", failedIn: "test", problem } as const;
  const first = await save(rotation, { ...failed, stateSinceMs: alerts.nowMs });
  expect([await alerts.evaluate(), await alerts.evaluate()]).toEqual([1, 0]);
  expect(await alerts.alerts()).toMatchObject([
    {
      severity: "warning",
      title: `The rotation of ${whose} failed in test: it waits for a retry or a cancel`,
      key: { kind: "providerKey", id: key.id },
      command: `keyward rotations show ${rotation.id}`,
    },
  ]);
  const facts = (await alerts.alerts())[0]?.facts ?? [];
  expect(facts.map(({ value }) => value)).toContain(problem);
  const retried = await save(first, { state: "test", failedIn: null, problem: null });
  expect(await alerts.evaluate()).toBe(0);
  await save(retried, { ...failed, stateSinceMs: alerts.nowMs + 1 });
  expect(await alerts.evaluate()).toBe(1);
});

test("one that stands still is told of after as many tries as status tells of it, a stolen secret's as critical", async () => {
  await alerts.addRule(ROTATION_FAILED, { repeat: null });
  const { rotation, whose } = await insertRotation({ isCompromise: true, attempts: 7 });
  expect(await alerts.evaluate()).toBe(0);
  const tried = await save(rotation, { attempts: 8 });
  expect(await alerts.evaluate()).toBe(1);
  await save(tried, { attempts: 9 });
  expect(await alerts.evaluate()).toBe(0);
  expect(await titles()).toEqual([`The rotation of ${whose} does not get on in create`]);
  expect((await alerts.alerts())[0]?.severity).toBe("critical");
});

test("one that has ended is told of where it cannot be looked after, or its stolen secret is not deleted", async () => {
  await alerts.addRule(ROTATION_FAILED, { repeat: null });
  const ended = { state: "done", endedAtMs: alerts.nowMs, oldFate: "refused" } as const;
  const lateLook = { atMs: alerts.nowMs, failures: 8, problem: "no answer", deleted: [] };
  const late = await insertRotation({ ...ended, lateLook });
  const stolen = { isCompromise: true, oldFate: "valid", oldCheckAtMs: alerts.nowMs } as const;
  const valid = await insertRotation({ ...ended, ...stolen });
  expect(await alerts.evaluate()).toBe(1);
  // Whoever rotated it was told at once.
  alerts.nowMs += 15 * 60_000;
  expect([await alerts.evaluate(), await alerts.evaluate()]).toEqual([1, 0]);
  expect((await titles()).toSorted()).toEqual(
    [
      `The rotation of ${late.whose} has ended, and whether the provider made a key after that cannot be looked up`,
      `A stolen secret of ${valid.whose} is still valid at its provider`,
    ].toSorted(),
  );
  const commands = (await alerts.alerts()).map(({ command }) => command);
  expect(commands).toContain(`keyward rotations confirm-revoked ${valid.rotation.id}`);
});

test("a provision is told of in its environment, and nothing that a rule is not about", async () => {
  const { of } = await insertRotation({ state: "failed", failedIn: "create" });
  const { environment, account } = of;
  const other = (await insertRotation()).of;
  const failed = { state: "failed", failedIn: "key", problem: "no" } as const;
  const provision = { ...sampleProvisionOf(alerts, other, alerts.nowMs), ...failed };
  await alerts.store.rotation.provisions.insert(provision);
  await alerts.addRule(ROTATION_FAILED, scope("environment", other.environment.id));
  expect(await alerts.evaluate()).toBe(1);
  expect(await alerts.alerts()).toMatchObject([
    {
      title: `The provision of provider key main of ${other.environment.name} failed in key: it waits for a retry or a cancel`,
      key: { kind: "environment", id: other.environment.id },
      command: `keyward provisions show ${provision.id}`,
    },
  ]);
  await alerts.addRule(ROTATION_FAILED, scope("providerAccount", account.id));
  expect(await alerts.evaluate()).toBe(1);
  await alerts.addRule(ROTATION_FAILED, scope("environment", null));
  expect(await alerts.evaluate()).toBe(2);
  expect(environment.id).not.toBe(other.environment.id);
});
