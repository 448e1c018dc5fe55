import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import { adminUnderTest, NOW_MS } from "../../../test/support/admin-under-test.ts";
import { OpenaiDouble } from "../../../test/support/openai-double.ts";
import { addDoubledKey, sampleRotationOf } from "../../../test/support/rotation-under-test.ts";
import type { ProviderKeyRecord } from "../../store/records.ts";
import { readActionsSince } from "../../store/sqlite/access-state.ts";
import { examineDatabase } from "../../store/sqlite/database-file.ts";
import { SqliteStore } from "../../store/sqlite/sqlite-store.ts";
import { BY_SYSTEM } from "../open-audit.ts";
import { findRevivedSecrets, SECRET_ACTIONS } from "./revived-secrets.ts";

const admin = adminUnderTest();

test("names the provider keys that have a replaced secret again, those with a stolen one first", async () => {
  const { store, vault, ids } = admin.deps;
  const made = await store.as(BY_SYSTEM, () =>
    addDoubledKey({ store, vault, ids }, new OpenaiDouble()),
  );
  const add = async (name: string): Promise<ProviderKeyRecord> => {
    const fingerprint = `fingerprint of ${name}`;
    const key = { ...made.key, id: ids.create("pky"), name, fingerprint, preview: `sk-…${name}` };
    await store.as(BY_SYSTEM, () => store.providerKeys.insert(key));
    return key;
  };
  const ordinary = await add("a");
  const wentBack = await add("b");
  const stolen = await add("c");
  const underWay = await add("d");
  const revoked = await add("e");
  await add("untouched");
  const begin = (key: ProviderKeyRecord, isCompromise: boolean) =>
    store.as(BY_SYSTEM, () =>
      store.rotation.rotations.insert({ ...sampleRotationOf({ ids }, key, NOW_MS), isCompromise }),
    );
  const replace = (key: ProviderKeyRecord, version: number, preview: string) =>
    store.as(BY_SYSTEM, () =>
      store.providerKeys.replaceSecret(key.id, {
        previousVersion: version - 1,
        version,
        sealed: key.sealed,
        fingerprint: `${preview} of ${key.name}`,
        preview,
      }),
    );
  await begin(underWay, true);
  const backup = `${admin.databasePath}.backup`;
  new DatabaseSync(admin.databasePath).exec(`vacuum into '${backup}'`);

  await begin(stolen, true);
  for (const key of [ordinary, wentBack, stolen, underWay, revoked]) {
    await replace(key, 2, "sk-…new");
  }
  await replace(wentBack, 3, wentBack.preview);
  // Of the secret that the backup knows nothing of.
  await begin({ ...ordinary, version: 2, preview: "sk-…new", fingerprint: "new of a" }, true);
  const { auditHead } = examineDatabase(backup);
  if (auditHead === undefined) throw new Error("nothing was written");
  const changes = readActionsSince(admin.databasePath, auditHead, [...SECRET_ACTIONS]);
  const restored = new SqliteStore({ path: backup, isInline: true });
  try {
    await restored.providerKeys.revoke(revoked.id, NOW_MS);
    expect(await findRevivedSecrets(restored, changes ?? [])).toEqual([
      { id: stolen.id, name: "c", isStolen: true },
      { id: underWay.id, name: "d", isStolen: true },
      { id: ordinary.id, name: "a", isStolen: false },
    ]);
  } finally {
    await restored.close();
  }
  const otherHead = { ...auditHead, hash: "0" };
  expect(readActionsSince(admin.databasePath, otherHead, [...SECRET_ACTIONS])).toBeUndefined();
});
