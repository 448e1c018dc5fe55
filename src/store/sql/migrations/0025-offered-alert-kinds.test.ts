import { DatabaseSync } from "node:sqlite";
import { describe, expect, test } from "vitest";
import { offeredAlertKinds } from "./0025-offered-alert-kinds.ts";

const WORDS = { text: "text", clusteredTable: "" } as Parameters<typeof offeredAlertKinds>[0];

function offeredAfter(...before: readonly string[]): unknown[] {
  const db = new DatabaseSync(":memory:");
  for (const table of ["alert_leases (name)", "alert_rules (kind)", "alerts (kind)"]) {
    db.exec(`create table ${table}`);
  }
  for (const statement of [...before, ...offeredAlertKinds(WORDS)]) db.exec(statement);
  const rows = db.prepare("select kind from offered_alert_kinds order by kind").all();
  db.close();
  return rows.map(({ kind }) => kind);
}

describe("kinds of alert that an older installation was given a rule of", () => {
  test("are those of the first version, also where they were removed, and those that it has or that fired", () => {
    const offered = offeredAfter(
      "insert into alert_leases values ('default rules')",
      "insert into alert_rules values ('policy_violated'), ('error_rate')",
      "insert into alerts values ('key_leaked'), ('key_leaked')",
    );
    expect(offered).toHaveLength(12);
    expect(offered).toEqual(
      expect.arrayContaining(["policy_violated", "key_leaked", "spend_spike"]),
    );
    expect(offered).not.toContain("rotation_due");
  });

  test("are none where no rules were made yet", () => {
    expect(offeredAfter()).toEqual([]);
    expect(offeredAfter("insert into alert_rules values ('error_rate')")).toEqual([]);
  });
});
