import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import { stolenSecrets } from "./0029-stolen-secrets.ts";

const progress = (isCompromise: boolean, oldFate: string | null) =>
  JSON.stringify({ isCompromise, problem: 'said "oldFate":"refused"', oldFate });

test("rotations of stolen secrets that ended unseen are looked after from then on, and no others", () => {
  const db = new DatabaseSync(":memory:");
  db.exec("create table rotations (id, state, progress, ended_at_ms, look_at_ms)");
  const insert = db.prepare("insert into rotations values (?, ?, ?, ?, null)");
  insert.run("valid", "done", progress(true, "valid"), 5);
  insert.run("unknown", "done", progress(true, "unknown"), 6);
  insert.run("refused", "done", progress(true, "refused"), 7);
  insert.run("planned", "done", progress(false, "valid"), 8);
  insert.run("called off", "cancelled", progress(true, null), 9);
  for (const statement of stolenSecrets()) db.exec(statement);
  const rows = db.prepare("select id, look_at_ms from rotations where look_at_ms > 0").all();
  db.close();
  expect(rows.map((row) => ({ ...row }))).toEqual([
    { id: "valid", look_at_ms: 5 },
    { id: "unknown", look_at_ms: 6 },
  ]);
});
