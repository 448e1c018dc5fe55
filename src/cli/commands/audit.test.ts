import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, it } from "vitest";
import { cliUnderTest } from "../../../test/support/cli-under-test.ts";
import { DATABASE_FILE } from "../../runtime/data-directory.ts";

const cli = cliUnderTest();

function alter(statements: string): void {
  const database = new DatabaseSync(join(cli.dataDir, DATABASE_FILE));
  database.exec(statements);
  database.close();
}

const newest = async () => {
  const { data } = (await cli.json(["audit", "list", "--limit", "1"])) as {
    data: readonly Record<string, unknown>[];
  };
  return data[0];
};

describe("keyward audit accept", () => {
  it("takes a log that was set back for the one to go on from, and writes what was known of it", async () => {
    await cli.install();
    await cli.json(["projects", "create", "--name", "kept"]);
    const { sequence } = (await newest()) as { sequence: number };
    alter(`create table kept as select * from audit_head`);
    await cli.json(["projects", "create", "--name", "gone"]);
    alter(`delete from audit_entries where sequence > ${sequence}; delete from audit_head;
           insert into audit_head select * from kept`);
    const found = await cli.run(["audit", "verify"]);
    expect([found.code, found.stderr]).toEqual([
      1,
      expect.stringContaining("`keyward audit accept`"),
    ]);
    const status = await cli.run(["status"]);
    expect(status.stderr).toContain(`(cut, entry ${sequence + 1}): keyward audit verify`);
    // Nobody is asked, and nothing was agreed to.
    expect((await cli.run(["audit", "accept"])).code).not.toBe(0);
    expect((await cli.run(["audit", "verify"])).code).toBe(1);

    const accepted = await cli.run(["audit", "accept", "--yes"]);
    expect([accepted.code, accepted.stdout]).toEqual([0, "accepted; the log says so\n"]);
    expect(await newest()).toMatchObject({
      sequence: sequence + 1,
      action: "auditLog.accepted",
      actor: { name: "local" },
      before: { known: { sequence: sequence + 1 }, fault: "cut" },
      after: { end: sequence },
    });
    const verified = await cli.run(["audit", "verify"]);
    expect([verified.code, verified.stdout]).toEqual([
      0,
      expect.stringContaining(`accepted as it was found at entry ${sequence + 1}`),
    ]);
    expect((await cli.run(["status"])).stderr).not.toContain("audit log");
  });

  it("says of an entry that was kept before a restore that the log was set back, and where", async () => {
    await cli.install();
    await cli.json(["projects", "create", "--name", "kept"]);
    alter(`create table kept as select * from audit_head`);
    const { sequence } = (await newest()) as { sequence: number };
    await cli.json(["projects", "create", "--name", "gone"]);
    const gone = (await newest()) as { sequence: number; hash: string };
    alter(`delete from audit_entries where sequence > ${sequence}; delete from audit_head;
           insert into audit_head select * from kept`);
    await cli.run(["audit", "accept", "--yes"]);
    const expected = ["audit", "verify", "--expect", `${gone.sequence}:${gone.hash}`];
    const { code, stderr } = await cli.run(expected);
    expect(code).toBe(1);
    expect(stderr).toContain(`entry ${gone.sequence} as it was kept is not in it`);
    expect(stderr).toContain(`accepted as it was found at entry ${sequence + 1}`);
    expect(stderr).not.toContain("broken");
  });

  it("has nothing to accept where the log is whole, and writes nothing", async () => {
    await cli.install();
    await cli.json(["projects", "create", "--name", "kept"]);
    const before = await newest();
    const { code, stdout } = await cli.run(["audit", "accept", "--yes"]);
    expect([code, stdout]).toEqual([0, expect.stringContaining("there is nothing to accept")]);
    expect(await newest()).toEqual(before);
  });

  it("does not take an entry that was altered for what was written", async () => {
    await cli.install();
    await cli.json(["projects", "create", "--name", "bot"]);
    const { sequence } = (await newest()) as { sequence: number };
    alter(`update audit_entries set after_text = '{"name":"x"}' where sequence = ${sequence}`);
    const { code, stdout, stderr } = await cli.run(["audit", "accept", "--yes"]);
    expect([code, stdout]).toEqual([1, "accepted; the log says so\n"]);
    expect(stderr).toContain(`broken at entry ${sequence}: it is not what was written`);
    expect((await cli.run(["audit", "verify"])).code).toBe(1);
  });
});

describe("keyward backup create", () => {
  it("is in the audit log, with the file and who made it", async () => {
    await cli.install();
    const file = join(cli.cwd, "copy.db");
    await cli.run(["backup", "create", file]);
    expect(await newest()).toMatchObject({
      action: "database.backedUp",
      actor: { kind: "system", id: "local", name: "local" },
      target: { kind: "database", id: "keyward.db" },
      environmentId: null,
      before: null,
      after: { backup: file },
    });
    expect((await cli.run(["audit", "verify"])).code).toBe(0);
  });
});
