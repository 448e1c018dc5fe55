import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import { adminUnderTest } from "../../../test/support/admin-under-test.ts";
import { OpenaiDouble } from "../../../test/support/openai-double.ts";
import { addDoubledKey, askDouble } from "../../../test/support/rotation-under-test.ts";
import { OpenaiKeyAdministration } from "../../providers/openai/openai-key-administration.ts";
import { MAX_PAGE_SIZE } from "../../store/store.ts";
import { createAdminClient, expectData } from "../client.ts";

const admin = adminUnderTest();

test("a key is known however many newer ones the account has", async () => {
  const double = new OpenaiDouble();
  const { store, vault } = admin;
  const { account, key } = await addDoubledKey({ store, vault, ids: admin.deps.ids }, double);
  const [known] = double.keys;
  if (known === undefined) throw new Error("there is one key");
  const { id: keyId, projectId, accountId: serviceAccountId } = known;
  await store.rotation.keyFacts.setRemote(key.id, { keyId, projectId, serviceAccountId });
  const stray = double.addKey(projectId, null, "notebook");
  addNewerKeys(MAX_PAGE_SIZE);
  const client = clientOf(double);
  const params = { path: { id: account.name } };
  const { data } = expectData(await client.GET("/provider-accounts/{id}/unknown-keys", { params }));
  expect(data.map(({ providerKeyId }) => providerKeyId)).toEqual([stray.id]);
});

test("a key is known in another account of the same organization, and in no other organization's", async () => {
  const double = new OpenaiDouble();
  const { store, vault } = admin;
  const { account, key } = await addDoubledKey({ store, vault, ids: admin.deps.ids }, double);
  const [known] = double.keys;
  if (known === undefined) throw new Error("there is one key");
  const { id: keyId, projectId, accountId: serviceAccountId } = known;
  await store.rotation.keyFacts.setRemote(key.id, { keyId, projectId, serviceAccountId });
  const addAccount = async (name: string, organizationId: string | null) => {
    const record = { ...account, id: admin.deps.ids.create("acc"), name, organizationId };
    await store.providerAccounts.insert(record);
    return record;
  };
  const [same, other] = [await addAccount("team", null), await addAccount("else", "org-2")];
  const client = clientOf(double);
  const countOf = async (id: string) => {
    const params = { path: { id } };
    const answer = await client.GET("/provider-accounts/{id}/unknown-keys", { params });
    return expectData(answer).data.length;
  };
  expect(await countOf(same.id)).toBe(0);
  // As long as the first account does not say whose it is, it may be anybody's.
  expect(await countOf(other.id)).toBe(0);
  const named = await addAccount("named", "org-3");
  await store.providerKeys.revoke(key.id, 1);
  await store.providerKeys.insert({
    ...key,
    id: admin.deps.ids.create("pky"),
    accountId: named.id,
  });
  expect(await countOf(other.id)).toBe(1);
});

test("an admin key that is none is told apart from one that the provider does not take", async () => {
  const double = new OpenaiDouble();
  const { store, vault } = admin;
  const { account } = await addDoubledKey({ store, vault, ids: admin.deps.ids }, double);
  const set = async (typed: string) =>
    await clientOf(double).PUT("/provider-accounts/{id}/admin-key", {
      params: { path: { id: account.id } },
      body: { secret: typed },
    });
  const refused = await set(double.keys[0]?.secret ?? "");
  expect(refused.response.status).toBe(400);
  const { message } = (refused.error as { error: { message: string } }).error;
  expect(message).toMatch(
    /^`secret` was not taken by the provider when it was tried: OpenAI answered/,
  );
  expect(message).toContain(
    "This seems to be no admin key: those of OpenAI begin with `sk-admin-`.",
  );
  expect((await set(double.adminKey)).response.status).toBe(200);
});

function clientOf(double: OpenaiDouble) {
  const app = admin.appWith({
    keyDesk: {
      wake: () => undefined,
      tryOldSecret: () => Promise.resolve("unknown"),
      administrationOf: (_account, typed = double.adminKey) => {
        const baseUrl = "https://double.invalid/v1";
        const deps = { secret: typed, baseUrl, ask: askDouble(double) };
        const administration = new OpenaiKeyAdministration(deps);
        return Promise.resolve({ kind: "ready", administration });
      },
    },
  });
  return createAdminClient({ baseUrl: "http://keyward.test", fetch: app.fetch });
}

/** A whole page of them, by the database itself: one by one they would take their time. */
function addNewerKeys(count: number): void {
  const database = new DatabaseSync(admin.databasePath);
  const columns = database
    .prepare("select name from pragma_table_info('provider_keys')")
    .all()
    .map(({ name }) => String(name));
  const values = columns.map((column) => {
    if (column === "id") return "'pky_' || n";
    if (column === "fingerprint") return "'fingerprint ' || n";
    return column === "created_at_ms" ? "created_at_ms + n" : column;
  });
  database.exec(`
    with recursive numbers (n) as (select 1 union all select n + 1 from numbers where n < ${count})
    insert into provider_keys (${columns.join(", ")})
    select ${values.join(", ")} from provider_keys cross join numbers`);
  database.close();
}
