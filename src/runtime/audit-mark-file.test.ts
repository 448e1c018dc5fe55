import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { adminUnderTest } from "../../test/support/admin-under-test.ts";
import type { AuditedStore } from "../store/audited-store.ts";
import { AuditMarkFile } from "./audit-mark-file.ts";
import { BY_LOCAL, openAudit } from "./open-audit.ts";

const admin = adminUnderTest();
let dataDir: string;
let faults: unknown[];
let store: AuditedStore;

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "keyward-mark-"));
  faults = [];
  store = await open(dataDir);
});
afterEach(async () => {
  await rm(dataDir, { recursive: true, force: true });
});

async function open(directory: string): Promise<AuditedStore> {
  return await openAudit({
    store: admin.store,
    vault: admin.vault,
    nowMs: () => admin.nowMs,
    markPlace: new AuditMarkFile(directory, (error) => faults.push(error)),
  });
}

async function act(count: number, by = store): Promise<void> {
  for (let i = 0; i < count; i += 1) {
    admin.nowMs += 1;
    await by.as(BY_LOCAL, () =>
      by.note({
        action: "budget.updated",
        target: { kind: "budget", id: "bud_1", name: null },
        environmentId: null,
        before: null,
        after: null,
      }),
    );
  }
}

function alter(statement: string): void {
  const database = new DatabaseSync(admin.databasePath);
  database.exec(statement);
  database.close();
}

const markPath = (): string => join(dataDir, "audit.mark");
const problem = async (by = store) => (await by.verify()).problem;

describe("the mark of the audit log", () => {
  it("finds an end that was cut off with the old head put back, and goes on finding it when others are added", async () => {
    await act(3);
    alter("create table kept as select * from audit_head");
    await act(2);
    expect(await problem()).toBeUndefined();
    alter("delete from audit_entries where sequence > 3");
    alter("delete from audit_head");
    alter("insert into audit_head select * from kept");
    expect(await problem()).toEqual({ fault: "cut", sequence: 5 });
    await act(1);
    expect(await problem()).toEqual({ fault: "cut", sequence: 5 });
    await act(4);
    expect(await problem()).toEqual({ fault: "replaced", sequence: 5 });
    expect((await store.followLog()).problem).toEqual({ fault: "replaced", sequence: 5 });
  });

  it("finds a log that was emptied, with and without a new entry", async () => {
    await act(2);
    alter("delete from audit_entries; delete from audit_head");
    expect(await problem()).toEqual({ fault: "cut", sequence: 2 });
    await act(1);
    expect(await problem()).toEqual({ fault: "cut", sequence: 2 });
  });

  it("is for its owner alone, and can't be made by who has no key", async () => {
    await act(2);
    expect((await stat(markPath())).mode & 0o777).toBe(0o600);
    const { tag } = JSON.parse(await readFile(markPath(), "utf8")) as { tag: string };
    const first = await store.audit.findBySequence(1);
    await writeFile(markPath(), JSON.stringify({ sequence: 1, hash: first?.hash, tag }));
    expect(await problem()).toEqual({ fault: "mark_foreign", sequence: 1 });
    await writeFile(markPath(), "half a");
    expect((await problem())?.fault).toBe("mark_foreign");
  });

  it("follows what other data directories have added", async () => {
    const elsewhere = await mkdtemp(join(tmpdir(), "keyward-mark-"));
    await act(2, await open(elsewhere));
    expect((await store.verify()).mark).toBeUndefined();
    expect((await store.followLog()).mark?.sequence).toBe(2);
    await rm(elsewhere, { recursive: true });
  });

  it("begins anew with a log that is accepted, which says so", async () => {
    await act(3);
    alter("delete from audit_entries; delete from audit_head");
    await store.as(BY_LOCAL, () => store.acceptLog());
    expect(await store.verify()).toMatchObject({
      problem: undefined,
      mark: { sequence: 1 },
      setBacks: [{ sequence: 1, action: "auditLog.accepted" }],
    });
    const entry = await store.audit.findBySequence(1);
    expect(JSON.parse(entry?.before ?? "")).toMatchObject({ known: { sequence: 3 }, fault: "cut" });
  });

  it("holds no change up that it can't note, and tells of it", async () => {
    await rm(dataDir, { recursive: true });
    await act(1);
    expect((await store.audit.findHead())?.sequence).toBe(1);
    expect(faults).toHaveLength(1);
  });
});
