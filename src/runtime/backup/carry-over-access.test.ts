import { createHash } from "node:crypto";
import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import { adminUnderTest, NOW_MS } from "../../../test/support/admin-under-test.ts";
import type { MemberRecord } from "../../store/access-records.ts";
import type { PageRequest } from "../../store/paging.ts";
import type { GatewayKeyRecord as Key } from "../../store/records.ts";
import { SqliteStore } from "../../store/sqlite/sqlite-store.ts";
import { BY_LOCAL } from "../open-audit.ts";
import { carryOverAccess } from "./carry-over-access.ts";

const admin = adminUnderTest();

test("ends the client tokens of every environment, however many there are", async () => {
  const { store } = admin.deps;
  const { environments } = store;
  // Fewer a page than there are, so that whoever reads only the first is found out.
  const inPages = new Proxy(environments, {
    get: (target, name) =>
      name === "list"
        ? (page: PageRequest) => environments.list({ ...page, limit: Math.min(2, page.limit) })
        : (Reflect.get(target, name, target) as unknown),
  });
  const paged = new Proxy(store, {
    get: (target, name) =>
      name === "environments" ? inPages : (Reflect.get(target, name, target) as unknown),
  });
  await store.as(BY_LOCAL, () => carryOverAccess(undefined, paged, NOW_MS));
  const { rows } = await environments.list({ limit: 10 });
  expect(rows.length).toBeGreaterThan(2);
  const ended = await store.exposure.clientTokens.listAll();
  expect(new Set(ended.map(({ subject }) => subject))).toEqual(new Set(rows.map(({ id }) => id)));
});

test("leaves every key to the secrets that opened it last, each until the end that it was promised", async () => {
  const { store } = admin.deps;
  const { gatewayKeys } = store;
  const AT = NOW_MS + 100;
  const keyOf = async (name: string) => {
    const made = await admin.post("/keys", { environment: "development", name });
    const record = await gatewayKeys.findById((made.body as { id: string }).id as never);
    if (record === undefined) throw new Error("no key");
    return record;
  };
  const names = ["both", "ended", "withdrawn", "later", "twice", "skipped"] as const;
  const keys = await Promise.all(names.map(keyOf));
  const [both, ended, withdrawn, later, twice, skipped] = keys as [Key, Key, Key, Key, Key, Key];
  const rotate = (
    into: Pick<typeof store, "gatewayKeys">,
    { id, name }: Key,
    [preview, validUntilMs]: readonly [string, number],
  ) => {
    const hash = createHash("sha256").update(`${name} ${preview}`).digest("hex");
    const change = { hash, preview, nowMs: NOW_MS, validUntilMs };
    return into.gatewayKeys.replaceSecret(id, change);
  };
  await store.as(BY_LOCAL, async () => {
    // One that is over, beside the one that runs.
    await rotate(store, both, ["b", NOW_MS]);
    for (const key of [both, ended, withdrawn]) await rotate(store, key, ["c", AT + 9]);
    await rotate(store, skipped, ["c", AT + 9]);
  });
  const replaced = `${admin.databasePath}.later`;
  new DatabaseSync(admin.databasePath).exec(`vacuum into '${replaced}'`);
  const since = new SqliteStore({ path: replaced, isInline: true });
  await since.gatewayKeys.endSuperseded(ended.id, NOW_MS + 1);
  await since.gatewayKeys.withdrawSecret(withdrawn.id, NOW_MS + 1);
  await rotate(since, later, ["c", AT + 7]);
  await rotate(since, twice, ["c", AT + 7]);
  await rotate(since, twice, ["d", AT + 8]);
  await rotate(since, skipped, ["d", NOW_MS]);
  const holding = async ({ gatewayKeys: of }: Pick<typeof store, "gatewayKeys">) =>
    Promise.all(
      keys.map(async ({ id }) => {
        const old = await of.supersededOf([id], AT);
        const before = old.map(({ preview, validUntilMs }) => [preview, validUntilMs]);
        return [(await of.findById(id))?.preview, ...before];
      }),
    );
  const expected = await holding(since);
  await since.close();
  expect(expected.map((each) => each.length)).toEqual([2, 1, 1, 2, 3, 2]);

  const { carried } = await store.as(BY_LOCAL, () => carryOverAccess(replaced, store, AT));
  expect(carried).toMatchObject({ rotatedGatewayKeys: 4 });
  expect(await holding(store)).toEqual(expected);
});

test("keeps what allows less than the backup does: roles, newer passwords, a key's end; and never takes the last owner", async () => {
  const { store, ids } = admin.deps;
  const memberOf = (email: string, changes: Partial<MemberRecord>): MemberRecord => ({
    id: ids.create("mem"),
    email,
    name: null,
    role: "admin",
    environments: null,
    passwordHash: "old",
    subject: null,
    createdAtMs: NOW_MS,
    lastLoginAtMs: null,
    removedAtMs: null,
    ...changes,
  });
  const owner = memberOf("owner@example.com", { role: "owner" });
  const lowered = memberOf("lowered@example.com", {});
  const raised = memberOf("raised@example.com", { role: "viewer", subject: "issuer 1" });
  const all = [owner, lowered, raised];
  for (const each of all) await admin.store.access.members.insert(each);
  const made = await admin.post("/keys", { environment: "development", name: "k" });
  const { id } = made.body as { id: string };
  const replaced = `${admin.databasePath}.replaced`;
  // All that the database has, its write-ahead log too.
  new DatabaseSync(admin.databasePath).exec(`vacuum into '${replaced}'`);
  const later = new DatabaseSync(replaced);
  later.exec(`update members set role = 'viewer' where role in ('owner', 'admin');
    update members set role = 'admin', subject = null, password_hash = 'new' where email like 'raised%';
    update gateway_keys set expires_at_ms = ${NOW_MS + 5}`);
  later.close();

  const outcome = await store.as(BY_LOCAL, () => carryOverAccess(replaced, store, NOW_MS));
  expect(outcome.carried).toMatchObject({ keptPasswords: 1, loweredRoles: 1, earlierKeyEnds: 1 });
  const found = await Promise.all(all.map((each) => store.access.members.findById(each.id)));
  expect(found).toEqual([
    owner,
    { ...lowered, role: "viewer" },
    { ...raised, passwordHash: "new", subject: null },
  ]);
  expect((await store.gatewayKeys.findById(id as never))?.expiresAtMs).toBe(NOW_MS + 5);
});
