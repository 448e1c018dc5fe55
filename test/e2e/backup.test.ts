/** The root key is replaced, and a backup restored, in the words of docs/guide/operations.md. */
import { copyFile, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { type AdminClient, expectData } from "../../src/admin/client.ts";
import {
  adminOf,
  createHome,
  type FirstSecrets,
  type Home,
  type KeywardProcess,
  readFirstSecrets,
} from "../support/keyward-process.ts";
import { until } from "../support/poll.ts";
import { startUpstream, type Upstream } from "../support/upstream.ts";

const PROVIDER_SECRET = ["sk", "svcacct", "b".repeat(24)].join("-");

let upstream: Upstream;
let home: Home;
let keyward: KeywardProcess;
let secrets: FirstSecrets;
let admin: AdminClient;
/** The provider secrets that calls came with. */
let seen: (string | undefined)[];

beforeEach(async () => {
  seen = [];
  upstream = await startUpstream((req, res) => {
    seen.push(req.headers.authorization);
    res.writeHead(200, { "content-type": "application/json" });
    res.end(JSON.stringify({ object: "list", data: [] }));
  });
  home = await createHome();
  await start();
  secrets = readFirstSecrets(keyward);
  admin = adminOf(keyward, secrets.adminToken);
  const account = expectData(
    await admin.POST("/provider-accounts", {
      body: { name: "a", provider: "openai", kind: "organization", baseUrl: `${upstream.url}/v1` },
    }),
  );
  const key = { accountId: account.id, environment: "development", name: "k" };
  expectData(await admin.POST("/provider-keys", { body: { ...key, secret: PROVIDER_SECRET } }));
}, 60_000);
afterEach(async () => {
  await home.remove();
  await upstream.close();
});

async function start(): Promise<void> {
  keyward = await home.start();
  if (secrets !== undefined) admin = adminOf(keyward, secrets.adminToken);
}

const inData = (name: string): string => join(home.directory, ".keyward", name);

async function statusWith(key: string): Promise<number> {
  const headers = { authorization: `Bearer ${key}` };
  return (await fetch(`${keyward.url}/v1/models`, { headers })).status;
}

async function createKey(name: string): Promise<{ id: string; key: string }> {
  return expectData(await admin.POST("/keys", { body: { environment: "development", name } }));
}

async function countEvents(): Promise<number> {
  return expectData(await admin.GET("/usage/events")).data.length;
}

async function succeed(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await home.run(...args);
  expect({ args, code, stderr }).toMatchObject({ code: 0 });
  return stdout;
}

it("is restored from a backup, with what was revoked and rotated since", async () => {
  const leaked = await createKey("leaked");
  const rotated = await createKey("rotated");
  const kept = await createKey("kept");
  expect(await statusWith(leaked.key)).toBe(200);
  // A backup has what is in the database; a call gets there with the next flush.
  await until("the call is in the database", async () => (await countEvents()) === 1);
  const anna = { email: "anna@example.com", role: "viewer" } as const;
  expectData(await admin.POST("/invitations", { body: anna }));
  const made = await home.spawn("backup", "create", "copy.db");
  expect(made).toMatchObject({ code: 0, stdout: expect.stringMatching(/^wrote .*copy\.db, /) });
  expect(await home.run("backup", "create", "copy.db")).toMatchObject({ code: 1 });

  // After the backup.
  const late = await createKey("late");
  const path = { id: leaked.id };
  expectData(await admin.POST("/keys/{id}/revoke", { params: { path } }));
  const { key: newSecret } = expectData(
    await admin.POST("/keys/{id}/rotate", {
      params: { path: { id: rotated.id } },
      body: { overlapSeconds: 0 },
    }),
  );
  expect(await home.run("backup", "restore", "copy.db", "--yes")).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("Keyward runs on this data directory"),
  });
  const tight = { params: { path: { id: kept.id } }, body: { allowedModels: ["gpt-4o"] } };
  expectData(await admin.PATCH("/keys/{id}", tight));
  await keyward.stop();
  expect(await home.run("backup", "restore", "copy.db")).toMatchObject({ code: 1 });
  const told = await succeed("backup", "restore", "copy.db", "--yes");
  expect(told).toMatch(/gateway keys that stay revoked: 1\n/);
  expect(told).toMatch(/gateway keys that keep the secret of a later rotation: 1\n/);
  // What can't be taken over is told.
  expect(told).toMatch(/backup, and gone: 1\n.*gatewayKey\.created +late +by first admin token/);
  expect(told).toMatch(/undone by it: 1\n.*gatewayKey\.updated +kept +by first admin token/);
  // Anna's, and the first owner's.
  expect(told).toMatch(/open invitations, revoked: 2\n/);

  await start();
  const statuses = await Promise.all(
    [kept.key, leaked.key, late.key, rotated.key, newSecret].map(statusWith),
  );
  expect(statuses).toEqual([200, 401, 401, 401, 200]);
  expect(new Set(seen)).toEqual(new Set([`Bearer ${PROVIDER_SECRET}`]));
  const query = { action: "database." };
  const entries = expectData(await admin.GET("/audit", { params: { query } }));
  expect(entries.data).toMatchObject([{ action: "database.restored", actor: { name: "local" } }]);
  expect(await succeed("audit", "verify")).toContain("whole");
  const open = expectData(await admin.GET("/invitations"));
  expect(open.data.map(({ email }) => email)).toEqual([null]);
  await until(
    "every call is counted, the one before the backup too",
    async () => (await countEvents()) === 3,
  );
}, 60_000);

it("goes on with a new root key while it serves, and says which key a backup needs", async () => {
  await succeed("backup", "create", "old.db");
  await copyFile(inData("root.key"), join(home.directory, "old.key"));
  await succeed("vault", "rotate-root", "--yes");
  expect(await statusWith(secrets.gatewayKey)).toBe(200);
  await keyward.stop();

  // Somebody put the old file back.
  await rename(inData("root.key"), join(home.directory, "new.key"));
  await copyFile(join(home.directory, "old.key"), inData("root.key"));
  const { rootKey } = JSON.parse(await succeed("backup", "check", "old.db", "--json")) as {
    rootKey: { id: string; fingerprint: string };
  };
  const refused = await home.spawn("start");
  expect(refused).toMatchObject({ code: 1 });
  expect(refused.stderr).toMatch(/has fingerprint [0-9a-f]{16}; the vault needs root key rtk_\w+/);
  expect(refused.stderr).toContain(rootKey.fingerprint);
  await rename(join(home.directory, "new.key"), inData("root.key"));
  await start();
  expect(await statusWith(secrets.gatewayKey)).toBe(200);
  await keyward.stop();

  // The backup from before needs the key from before.
  const before = await readFile(inData("keyward.db"));
  const wrong = await home.run("backup", "restore", "old.db", "--yes");
  expect(wrong).toMatchObject({ code: 1, stderr: expect.stringContaining(rootKey.id) });
  expect((await readFile(inData("keyward.db"))).equals(before)).toBe(true);
  await copyFile(join(home.directory, "old.key"), inData("root.key"));
  await succeed("backup", "restore", "old.db", "--yes");
  await start();
  expect(await statusWith(secrets.gatewayKey)).toBe(200);
  expect(seen).toEqual(Array.from({ length: 3 }, () => `Bearer ${PROVIDER_SECRET}`));
}, 60_000);

it("restores over a database that is damaged, and refuses a backup that is", async () => {
  await succeed("backup", "create", "copy.db");
  await keyward.stop();
  await writeFile(inData("keyward.db"), "not a database at all".repeat(1000));
  const bytes = await readFile(join(home.directory, "copy.db"));
  await writeFile(join(home.directory, "cut.db"), bytes.subarray(0, bytes.length / 2));
  for (const file of ["cut.db", "nowhere.db", ".keyward/root.key"]) {
    expect(await home.run("backup", "check", file)).toMatchObject({ code: 1, stdout: "" });
  }
  expect(await home.run("backup", "restore", "cut.db", "--yes")).toMatchObject({ code: 1 });
  const told = await home.spawn("backup", "restore", "copy.db", "--yes");
  expect(told).toMatchObject({
    code: 0,
    stderr: expect.stringContaining("no database that tells"),
  });
  await start();
  expect(await statusWith(secrets.gatewayKey)).toBe(200);
}, 60_000);
