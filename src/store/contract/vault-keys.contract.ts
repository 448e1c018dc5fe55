import { describe, expect, test } from "vitest";
import { type CreateTestDatabase, useDatabase } from "./fixture.contract.ts";
import { ids, sampleDataKey, sampleRootKey } from "./samples.contract.ts";

export function describeVaultKeys(createDatabase: CreateTestDatabase): void {
  describe("vault keys", () => {
    const fixture = useDatabase(createDatabase);

    test("have one current root key: of processes that bring one at once, one wins", async () => {
      const { store, database } = fixture;
      expect(await store.vaultKeys.currentRootKey()).toBeUndefined();
      const roots = Array.from({ length: 4 }, () => sampleRootKey());
      const answers = await Promise.all(
        roots.map((root) => database.open().vaultKeys.insertRootKey(root)),
      );
      expect(answers.filter((isInserted) => isInserted)).toHaveLength(1);
      const winner = roots[answers.indexOf(true)];
      expect(await store.vaultKeys.currentRootKey()).toEqual(winner);
      expect(await store.vaultKeys.insertRootKey(sampleRootKey())).toBe(false);
    });

    test("have one data key a scope: of processes that bring one at once, one wins", async () => {
      const { store, database } = fixture;
      const root = sampleRootKey();
      await store.vaultKeys.insertRootKey(root);
      const keys = Array.from({ length: 4 }, () =>
        sampleDataKey({ rootKeyId: root.id, scope: "fingerprints" }),
      );
      const answers = await Promise.all(
        keys.map((key) => database.open().vaultKeys.insertDataKey(key)),
      );
      expect(answers.filter((isInserted) => isInserted)).toHaveLength(1);
      const winner = keys[answers.indexOf(true)];
      expect(await store.vaultKeys.findDataKeyByScope("fingerprints")).toEqual(winner);
      expect(await store.vaultKeys.findDataKey(winner?.id ?? ids.create("dek"))).toEqual(winner);
      expect(await store.vaultKeys.listDataKeys()).toEqual([winner]);
    });

    test("refuse a data key under a root key that is not the current one", async () => {
      const { store } = fixture;
      const stray = sampleDataKey({ rootKeyId: sampleRootKey().id });
      expect(await store.vaultKeys.insertDataKey(stray)).toBe(false);
      await store.vaultKeys.insertRootKey(sampleRootKey());
      expect(await store.vaultKeys.insertDataKey(stray)).toBe(false);
      expect(await store.vaultKeys.findDataKey(stray.id)).toBeUndefined();
      expect(await store.vaultKeys.findDataKeyByScope(stray.scope)).toBeUndefined();
    });

    test("are all rewrapped when the root key is replaced, and only by who knows them all", async () => {
      const { store } = fixture;
      const old = sampleRootKey();
      await store.vaultKeys.insertRootKey(old);
      const keys = [sampleDataKey({ rootKeyId: old.id }), sampleDataKey({ rootKeyId: old.id })];
      for (const key of keys) expect(await store.vaultKeys.insertDataKey(key)).toBe(true);
      const root = sampleRootKey();
      const rewrapped = keys.map((key) => ({
        ...key,
        rootKeyId: root.id,
        wrapped: Uint8Array.of(1, 2, 3),
      }));
      const wrong = [
        { previousId: root.id, root, rewrapped },
        { previousId: old.id, root, rewrapped: rewrapped.slice(1) },
        { previousId: old.id, root, rewrapped: [...rewrapped.slice(1), ...rewrapped.slice(1)] },
        {
          previousId: old.id,
          root,
          rewrapped: [...rewrapped, sampleDataKey({ rootKeyId: root.id })],
        },
      ];
      for (const change of wrong) expect(await store.vaultKeys.replaceRootKey(change)).toBe(false);
      expect(await store.vaultKeys.currentRootKey()).toEqual(old);
      expect(new Set(await store.vaultKeys.listDataKeys())).toEqual(new Set(keys));

      const change = { previousId: old.id, root, rewrapped };
      expect(await store.vaultKeys.replaceRootKey(change)).toBe(true);
      expect(await store.vaultKeys.currentRootKey()).toEqual(root);
      expect(new Set(await store.vaultKeys.listDataKeys())).toEqual(new Set(rewrapped));
      expect(await store.vaultKeys.replaceRootKey(change)).toBe(false);
    });

    test("stay as they were when a rotation names a key that is not wrapped by the new root key", async () => {
      const { store } = fixture;
      const old = sampleRootKey();
      await store.vaultKeys.insertRootKey(old);
      const key = sampleDataKey({ rootKeyId: old.id });
      await store.vaultKeys.insertDataKey(key);
      await expect(
        store.vaultKeys.replaceRootKey({
          previousId: old.id,
          root: sampleRootKey(),
          rewrapped: [{ ...key, wrapped: Uint8Array.of(9) }],
        }),
      ).rejects.toThrow(key.id);
      expect(await store.vaultKeys.currentRootKey()).toEqual(old);
      expect(await store.vaultKeys.listDataKeys()).toEqual([key]);
    });

    test("lose no data key that comes while the root key is replaced", async () => {
      const { store, database } = fixture;
      const old = sampleRootKey();
      await store.vaultKeys.insertRootKey(old);
      const root = sampleRootKey();
      const late = sampleDataKey({ rootKeyId: old.id });
      const [isReplaced, isInserted] = await Promise.all([
        database.open().vaultKeys.replaceRootKey({ previousId: old.id, root, rewrapped: [] }),
        database.open().vaultKeys.insertDataKey(late),
      ]);
      // Either the key was first, and the rotation that does not know it is refused, or the other way round.
      expect(isReplaced).not.toBe(isInserted);
      const current = await store.vaultKeys.currentRootKey();
      for (const key of await store.vaultKeys.listDataKeys()) {
        expect(key.rootKeyId).toBe(current?.id);
      }
    });
  });
}
