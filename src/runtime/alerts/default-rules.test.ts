import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import { adminUnderTest, NOW_MS } from "../../../test/support/admin-under-test.ts";
import { ensureDefaultRules } from "./default-rules.ts";

const admin = adminUnderTest();
const ensure = () =>
  ensureDefaultRules({ store: admin.store, ids: admin.deps.ids, nowMs: () => NOW_MS });

test("an installation gets the rules of kinds that it never had, and none again that was removed", async () => {
  const { rules } = admin.store.alerts;
  const all = await ensure();
  expect(all.length).toBeGreaterThan(10);
  expect(await ensure()).toEqual([]);
  const [removed, older, ...others] = all;
  if (removed === undefined || older === undefined) throw new Error("there are many");
  await rules.remove(removed.id);
  expect(await ensure()).toEqual([]);
  // As before an upgrade to a version that has a kind more.
  await rules.remove(older.id);
  forget(older.condition.kind);
  expect((await ensure()).map(({ condition }) => condition.kind)).toEqual([older.condition.kind]);
  expect(await rules.listAll()).toHaveLength(others.length + 1);
});

function forget(kind: string): void {
  const database = new DatabaseSync(admin.databasePath, { timeout: 5_000 });
  database.prepare("delete from offered_alert_kinds where kind = ?").run(kind);
  database.close();
}
