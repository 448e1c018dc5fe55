import { randomBytes } from "node:crypto";
import { copyFile, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, test } from "vitest";
import { cliUnderTest, NOW_MS } from "../../../test/support/cli-under-test.ts";
import { sampleProvisionOf, sampleRotationOf } from "../../../test/support/rotation-under-test.ts";
import { IdFactory } from "../../core/ids/ids.ts";
import { DATABASE_FILE } from "../../runtime/data-directory.ts";
import { BY_LOCAL, openAudit } from "../../runtime/open-audit.ts";
import { openVault } from "../../runtime/open-vault.ts";
import { sampleAccount } from "../../store/contract/samples.contract.ts";

const cli = cliUnderTest();
const nowMs = (): number => NOW_MS;
const inData = (name: string): string => join(cli.dataDir, name);

type Made = { readonly id: string };

const keyOf = async (name: string) =>
  (await cli.json(["keys", "create", "--name", name, "--environment", "development"])) as Made;
const token = async (name: string) =>
  (await cli.json(["admin-tokens", "create", "--name", name, "--role", "viewer"])) as Made;
const invite = async () =>
  (await cli.json(["members", "invite", "--email", "a@example.com", "--role", "viewer"])) as Made;

/** The database is put back as `pg_restore`, or a copied file, does it. */
async function setBack(): Promise<void> {
  await copyFile(inData("copy.db"), inData(DATABASE_FILE));
}

/** As the admin API does it when it is told that the secret is stolen; nothing drives it on. */
async function beginRotation(id: string): Promise<void> {
  await cli.withStore(async (store) => {
    const key = await store.providerKeys.findById(id as never);
    if (key === undefined) throw new Error("the key is not there");
    const ids = new IdFactory({ nowMs, randomBytes });
    const config = { dataDir: cli.dataDir, rootKey: null };
    const vault = await openVault({ config, store, ids });
    const audited = await openAudit({ store, vault, nowMs, markPlace: undefined });
    const rotation = { ...sampleRotationOf({ ids }, key, NOW_MS), isCompromise: true };
    await audited.as(BY_LOCAL, () => audited.rotation.rotations.insert(rotation));
  });
}

describe("keyward backup catch-up", () => {
  it("ends again what an export of the audit log says was ended since, and every way in that is open", async () => {
    await cli.install();
    const [leaked, kept, rotated] = [
      await keyOf("leaked"),
      await keyOf("kept"),
      await keyOf("rotated"),
    ];
    const [lost, late] = [await token("lost"), await token("kept")];
    const [cut, back, runs] = [await keyOf("cut"), await keyOf("back"), await keyOf("runs")];
    for (const { id } of [cut, back, runs]) await cli.json(["keys", "rotate", id]);
    // An end from before the overlap that runs is about another one.
    await cli.json(["keys", "rotate", runs.id, "--end-overlap"]);
    await cli.json(["keys", "rotate", runs.id]);
    await invite();
    await copyFile(inData(DATABASE_FILE), inData("copy.db"));
    await cli.json(["keys", "rotate", cut.id, "--end-overlap"]);
    await cli.json(["keys", "rotate", back.id, "--cancel"]);
    const gatewayKeysOf = () =>
      cli.withStore(async ({ gatewayKeys }) => {
        const ids = [cut.id, back.id, runs.id] as never[];
        const old = await gatewayKeys.supersededOf(ids, Date.now());
        const own = await Promise.all(ids.map((id) => gatewayKeys.findById(id)));
        return { own: own.map((key) => key?.hash), old: old.map(({ keyId }) => keyId) };
      });
    const asTheyWere = await gatewayKeysOf();
    expect(asTheyWere.old).toEqual([runs.id]);
    await cli.json(["keys", "revoke", leaked.id, "--yes"]);
    await cli.json(["admin-tokens", "revoke", lost.id]);
    await cli.json(["keys", "rotate", rotated.id]);
    const file = inData("audit.jsonl");
    expect(await cli.run(["audit", "export", "--output", file])).toMatchObject({ code: 0 });
    await setBack();

    const told = (await cli.json(["backup", "catch-up", "--audit", file, "--yes"], {
      nowMs: Date.now,
    })) as object;
    expect(told).toEqual({
      held: { heldRotations: 0, heldProvisions: 0, droppedLooks: 0, endedSchedules: [] },
      revokedInvitations: 1,
      revokedGatewayKeys: 1,
      revokedProviderKeys: 0,
      revokedAdminTokens: 1,
      removedMembers: 0,
      endedGatewaySecrets: 2,
      rotatedGatewayKeys: ["rotated"],
      revivedProviderKeys: [],
      undone: [],
      lacks: [],
    });
    await cli.withStore(async ({ gatewayKeys, adminTokens }) => {
      expect((await gatewayKeys.findById(leaked.id as never))?.revokedAtMs).not.toBeNull();
      expect((await gatewayKeys.findById(kept.id as never))?.revokedAtMs).toBeNull();
      expect((await adminTokens.findById(lost.id as never))?.revokedAtMs).not.toBeNull();
      expect((await adminTokens.findById(late.id as never))?.revokedAtMs).toBeNull();
    });
    expect(await gatewayKeysOf()).toEqual(asTheyWere);
    const again = await cli.run(["backup", "catch-up", "--audit", file, "--yes"]);
    expect([again.code, again.stdout]).toEqual([0, expect.stringContaining("revoked again: 0")]);
    expect(again.stderr).toContain("rotated");
    expect(again.stderr).toContain("keyward members list");
  });

  it("does nothing by an export that was edited, or is of another installation", async () => {
    await cli.install();
    const key = await keyOf("leaked");
    await copyFile(inData(DATABASE_FILE), inData("copy.db"));
    await cli.json(["keys", "revoke", key.id, "--yes"]);
    const file = inData("audit.jsonl");
    await cli.run(["audit", "export", "--output", file]);
    await setBack();
    const text = await readFile(file, "utf8");
    for (const wrong of [
      text.replace(key.id, "key_0"),
      text.replace('"hash":"', '"hash":"0'),
      "[]",
      "",
      "\n\n",
      "{}",
      text.slice(0, -10),
    ]) {
      await writeFile(file, wrong);
      const refused = await cli.run(["backup", "catch-up", "--audit", file, "--yes"]);
      expect([refused.code, refused.stdout]).toEqual([1, ""]);
      expect(refused.stderr).toMatch(/is no entry of this installation's audit log|is empty/);
    }
    const folder = await cli.run(["backup", "catch-up", "--audit", cli.cwd, "--yes"]);
    expect(folder).toMatchObject({ code: 1, stderr: expect.stringContaining("EISDIR") });
    const missing = await cli.run(["backup", "catch-up", "--audit", inData("no.jsonl"), "--yes"]);
    expect(missing).toMatchObject({ code: 1, stdout: "" });
    const found = await cli.withStore((store) => store.gatewayKeys.findById(key.id as never));
    expect(found?.revokedAtMs).toBeNull();
  });

  it("lists what was made and changed since, and the provider keys that have a stolen secret again", async () => {
    await cli.install();
    const account = ["provider-accounts", "create", "--name", "main", "--provider", "openai"];
    await cli.json([...account, "--kind", "organization"]);
    const add = ["provider-keys", "add", "--account", "main", "--environment", "development"];
    const key = (await cli.json([...add, "--secret-stdin"], { stdin: "a".repeat(40) })) as Made & {
      name: string;
    };
    const kept = await keyOf("kept");
    await copyFile(inData(DATABASE_FILE), inData("copy.db"));
    await beginRotation(key.id);
    await keyOf("late");
    await cli.json(["keys", "update", kept.id, "--model", "gpt-4o"]);
    const file = inData("audit.jsonl");
    await cli.run(["audit", "export", "--output", file]);
    await setBack();
    const catchUp = ["backup", "catch-up", "--audit", file, "--yes"];
    const told = await cli.json(catchUp);
    const next = `keyward provider-keys rotate ${key.id} --compromise`;
    expect(told).toMatchObject({
      revivedProviderKeys: [{ id: key.id, name: key.name, isStolen: true, next }],
      undone: [
        { action: "gatewayKey.updated", target: "kept", actor: expect.any(String) },
        { action: "gatewayKey.created", target: "late" },
        { action: "rotation.created" },
      ],
    });
    // Though the log has gone on since, by as many entries as there were.
    for (const name of ["one", "two", "three"]) await keyOf(name);
    const again = await cli.run(catchUp);
    expect(again.stdout).toMatch(/and gone: 2\n.*gatewayKey\.created +late /);
    expect(again.stdout).toMatch(/undone by it: 1\n.*gatewayKey\.updated +kept /);
    expect(again.stderr).toContain(`has a stolen secret again: rotate it now: ${next}`);
  });

  it("refuses an export that lacks what came after the backup, but for one who says that there is no more", async () => {
    await cli.install();
    const leaked = await keyOf("leaked");
    const before = inData("before.jsonl");
    await cli.run(["audit", "export", "--output", before]);
    const early = await keyOf("early");
    await copyFile(inData(DATABASE_FILE), inData("copy.db"));
    await cli.json(["keys", "revoke", leaked.id, "--yes"]);
    await cli.json(["keys", "revoke", early.id, "--yes"]);
    await keyOf("late");
    const file = inData("audit.jsonl");
    await cli.run(["audit", "export", "--output", file]);
    await setBack();
    // Newest first: the late key's, the two revocations, then what the database has as well.
    const lines = (await readFile(file, "utf8")).trimEnd().split("\n");
    const { sequence } = JSON.parse(lines[0] ?? "") as { sequence: number };
    const cases = [
      [lines.slice(0, 2), `lacks entry ${sequence - 2};`],
      [lines.slice(0, 1), `lacks entries ${sequence - 2} to ${sequence - 1};`],
      [lines.toSpliced(1, 1), `lacks entry ${sequence - 1};`],
      [lines.slice(1), `lacks all after entry ${sequence - 1}: this data directory has seen`],
      [[await readFile(before, "utf8")], `lacks all after entry ${sequence - 4}: this`],
    ] as const;
    for (const [kept, told] of cases) {
      await writeFile(file, kept.join("\n"));
      const refused = await cli.run(["backup", "catch-up", "--audit", file, "--yes"]);
      expect([refused.code, refused.stdout]).toEqual([1, ""]);
      expect(refused.stderr).toContain(told);
    }
    // Where nothing has seen the log's end, and the database itself has more.
    await rm(inData("audit.mark"));
    const old = await cli.run(["backup", "catch-up", "--audit", before, "--yes"]);
    expect(old).toMatchObject({ code: 1, stderr: expect.stringContaining("itself has more") });
    const found = await cli.withStore((store) => store.gatewayKeys.findById(leaked.id as never));
    expect(found?.revokedAtMs).toBeNull();

    await writeFile(file, lines.toSpliced(1, 1).join("\n"));
    const partial = ["backup", "catch-up", "--audit", file, "--yes", "--partial"];
    const told = await cli.run(partial);
    expect(told).toMatchObject({
      code: 0,
      stdout: expect.stringContaining("gateway keys, revoked again: 1"),
      stderr: expect.stringContaining(`the export lacks entry ${sequence - 1}`),
    });
    // All of it, and the lines that the database had at the backup's time need not be there.
    await writeFile(file, lines.slice(0, 3).toReversed().join("\n"));
    expect(await cli.json(partial.slice(0, -1))).toMatchObject({
      revokedGatewayKeys: 1,
      lacks: [],
    });
  });

  // It was read by an interface that had come to its end before anybody asked for a line, which no line and no end came from.
  it("looks at the export before it asks, and before it opens a database", async () => {
    const file = join(cli.cwd, "audit.jsonl");
    for (const wrong of ["", "garbage\n", "sequence,at\n1,2026-01-31T09:30:00.000Z\n"]) {
      await writeFile(file, wrong);
      const refused = await cli.run(["backup", "catch-up", "--audit", file]);
      expect([refused.code, refused.stdout]).toEqual([1, ""]);
      expect(refused.stderr).toMatch(/^error: (Line 1 of the export|The export is empty)/);
    }
  });
});

test("puts on hold what the backup has as under way at a provider, and so does a restore", async () => {
  await cli.install();
  const ids = new IdFactory({ nowMs: () => 1, randomBytes });
  await cli.withStore(async (store) => {
    const environment = await store.environments.findByName("production");
    if (environment === undefined) throw new Error("there is no production");
    const account = { ...sampleAccount(), id: ids.create("acc") };
    await store.providerAccounts.insert(account);
    await store.rotation.provisions.insert(sampleProvisionOf({ ids }, { environment, account }, 1));
  });
  await copyFile(inData(DATABASE_FILE), inData("set-back.db"));
  const file = inData("backup.db");
  await cli.json(["backup", "create", file]);
  const restored = await cli.run(["backup", "restore", file, "--yes"]);
  expect(restored.stderr).toContain("on hold now: rotations 0, provisions 1");
  await copyFile(inData("set-back.db"), inData(DATABASE_FILE));
  const caughtUp = ["backup", "catch-up", "--yes"];
  expect(await cli.json(caughtUp)).toMatchObject({ held: { heldProvisions: 1 } });
  expect(await cli.json(caughtUp)).toMatchObject({ held: { heldProvisions: 0 } });
  const doctor = await cli.run(["status"]);
  expect(doctor.stdout + doctor.stderr).toMatch(/is on hold in project .* --original-gone; else/);
});
