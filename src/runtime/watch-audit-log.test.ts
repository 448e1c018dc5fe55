import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { adminUnderTest, call } from "../../test/support/admin-under-test.ts";
import { until } from "../../test/support/poll.ts";
import type { AuditedStore } from "../store/audited-store.ts";
import { Closers } from "./closers.ts";
import { BY_LOCAL } from "./open-audit.ts";
import { openWatchedAudit } from "./watch-audit-log.ts";

const admin = adminUnderTest();
let dataDir: string;
let closers: Closers;
let audited: AuditedStore;
/** What the server's log says above the level of information. */
let told: { readonly level: string; readonly fault: unknown; readonly sequence: unknown }[];
let isGoodAgain: boolean;

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "keyward-watch-"));
  told = [];
  isGoodAgain = false;
  const tell =
    (level: string) =>
    ({ fault, sequence }: Readonly<Record<string, unknown>>): void => {
      told.push({ level, fault, sequence });
    };
  const log = {
    debug: () => undefined,
    info: () => {
      isGoodAgain = true;
    },
    warn: tell("warn"),
    error: tell("error"),
  };
  closers = new Closers(log);
  audited = await openWatchedAudit(
    { store: admin.store, vault: admin.vault, log, dataDir, intervalMs: 1 },
    closers,
  );
  for (let n = 0; n < 4; n += 1) await act();
  alter("create table head_at_4 as select * from audit_head");
  for (let n = 0; n < 2; n += 1) await act();
});
afterEach(async () => {
  await closers.closeAll();
  await rm(dataDir, { recursive: true, force: true });
});

function act(): Promise<void> {
  return audited.as(BY_LOCAL, () =>
    audited.note({
      action: "budget.updated",
      target: { kind: "budget", id: "bud_1", name: null },
      environmentId: null,
      before: null,
      after: `{"limitUsd":"25"}`,
    }),
  );
}

function alter(statements: string): void {
  const database = new DatabaseSync(admin.databasePath, { timeout: 5000 });
  database.exec(`begin immediate; ${statements}; commit`);
  database.close();
}

async function shownProblem(): Promise<unknown> {
  const { body } = await call(admin.appWith({ store: audited }), "/status");
  return (body as { auditProblem: unknown }).auditProblem;
}

const WAYS: readonly (readonly [
  what: string,
  statements: string,
  fault: string,
  sequence: number,
])[] = [
  ["was edited", `update audit_entries set after_text = '{}' where sequence = 3`, "altered", 3],
  ["was removed", "delete from audit_entries where sequence = 3", "missing", 3],
  [
    "has changed places with another",
    `update audit_entries set sequence = 99 where sequence = 3;
       update audit_entries set sequence = 3 where sequence = 4;
       update audit_entries set sequence = 4 where sequence = 99`,
    "altered",
    3,
  ],
];

const CUTS: readonly (readonly [what: string, statements: string])[] = [
  [
    "was cut, with the old head put back",
    `delete from audit_entries where sequence > 4; delete from audit_head;
     insert into audit_head select * from head_at_4`,
  ],
  ["was emptied", "delete from audit_entries; delete from audit_head"],
];

describe("the watch of the audit log", () => {
  it.each(WAYS)("finds that an entry %s, says it once and shows it in status", async (...way) => {
    const [, statements, fault, sequence] = way;
    expect(await shownProblem()).toBeNull();
    alter(`create table kept as select * from audit_entries; ${statements}`);
    await until("it was found", () => told.length > 0);
    expect(await shownProblem()).toEqual({ fault, sequence });
    await audited.followLog();
    await audited.followLog();
    // An acceptance does not make of it what was written.
    await audited.as(BY_LOCAL, () => audited.acceptLog());
    await audited.followLog();
    expect(await shownProblem()).toEqual({ fault, sequence });
    expect(told).toEqual([{ level: "error", fault, sequence }]);
    alter(`delete from audit_entries where sequence <= 6;
           insert into audit_entries select * from kept`);
    await until("it is as it was", () => isGoodAgain);
    expect(await shownProblem()).toBeNull();
  });

  it.each(CUTS)("finds that the log %s, until it is accepted", async (_, statements) => {
    alter(statements);
    await until("it was found", () => told.length > 0);
    expect(await shownProblem()).toEqual({ fault: "cut", sequence: 6 });
    await act();
    await audited.followLog();
    expect(told).toEqual([{ level: "error", fault: "cut", sequence: 6 }]);
    await audited.as(BY_LOCAL, () => audited.acceptLog());
    await until("it is accepted", () => isGoodAgain);
    expect(await shownProblem()).toBeNull();
  });
});
