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
  const app = admin.appWith({
    keyDesk: {
      wake: () => undefined,
      tryOldSecret: () => Promise.resolve("unknown"),
      administrationOf: () => {
        const baseUrl = "https://double.invalid/v1";
        const deps = { secret: double.adminKey, baseUrl, ask: askDouble(double) };
        const administration = new OpenaiKeyAdministration(deps);
        return Promise.resolve({ kind: "ready", administration });
      },
    },
  });
  const client = createAdminClient({ baseUrl: "http://keyward.test", fetch: app.fetch });
  const params = { path: { id: account.name } };
  const { data } = expectData(await client.GET("/provider-accounts/{id}/unknown-keys", { params }));
  expect(data.map(({ providerKeyId }) => providerKeyId)).toEqual([stray.id]);
});

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
