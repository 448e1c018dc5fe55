import { describe, expect, test } from "vitest";
import { NewerSchemaError } from "../store.ts";
import { type CreateTestDatabase, useEmptyDatabase } from "./fixture.contract.ts";
import { sampleProject } from "./samples.contract.ts";

export function describeSchema(createDatabase: CreateTestDatabase): void {
  describe("the schema", () => {
    const fixture = useEmptyDatabase(createDatabase);

    test("is 0 in an empty database, and asking does not change that", async () => {
      expect(await fixture.store.currentSchema()).toBe(0);
      expect(await fixture.store.currentSchema()).toBe(0);
      await expect(fixture.store.projects.list({ limit: 1 })).rejects.toThrow(/projects/);
    });

    test("is brought up to date once; a second migration changes nothing and loses nothing", async () => {
      const { store } = fixture;
      await store.migrate();
      expect(await store.currentSchema()).toBe(store.supportedSchema);
      const project = sampleProject();
      await store.projects.insert(project);
      await store.migrate();
      expect(await store.projects.findById(project.id)).toEqual(project);
    });

    test("is brought up to date by several processes at once, and all of them succeed", async () => {
      const stores = Array.from({ length: 6 }, () => fixture.database.open());
      await Promise.all(stores.map((store) => store.migrate()));
      for (const store of stores) expect(await store.currentSchema()).toBe(store.supportedSchema);
      await stores[0]?.projects.insert(sampleProject());
      expect((await stores[3]?.projects.list({ limit: 10 }))?.rows).toHaveLength(1);
    });

    test("of a newer Keyward is refused, and stays as it is", async () => {
      const { store, database } = fixture;
      await store.migrate();
      const newer = store.supportedSchema + 1;
      await database.execute(`insert into keyward_schema (version, name) values (${newer}, 'x')`);
      const refused = await store.migrate().catch((error: unknown) => error);
      expect(refused).toBeInstanceOf(NewerSchemaError);
      expect(refused).toMatchObject({ found: newer, supported: store.supportedSchema });
      expect(await store.currentSchema()).toBe(newer);
    });

    test("is out of reach after the store was closed, also when that was never used", async () => {
      const { store, database } = fixture;
      const unused = database.open();
      await store.ping();
      for (const closed of [store, unused]) {
        await Promise.all([closed.close(), closed.close()]);
        await closed.close();
        await expect(closed.ping()).rejects.toThrow(/end|closed|destroyed/);
        await expect(closed.transaction(async () => 1)).rejects.toThrow(/end|closed|destroyed/);
      }
    });

    test("answers a ping before it is there", async () => {
      await expect(fixture.store.ping()).resolves.toBeUndefined();
    });
  });
}
