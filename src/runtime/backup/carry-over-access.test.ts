import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import { adminUnderTest, NOW_MS } from "../../../test/support/admin-under-test.ts";
import type { MemberRecord } from "../../store/access-records.ts";
import type { PageRequest } from "../../store/paging.ts";
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
