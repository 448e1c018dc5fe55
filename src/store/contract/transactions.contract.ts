import { describe, expect, test } from "vitest";
import { UniqueViolationError } from "../store.ts";
import { changesSince, type CreateTestDatabase, useDatabase } from "./fixture.contract.ts";
import {
  insertBelongings,
  sampleCustomer,
  sampleEvent,
  sampleGatewayKey,
  sampleProject,
} from "./samples.contract.ts";

export function describeTransactions(createDatabase: CreateTestDatabase): void {
  describe("a transaction", () => {
    const fixture = useDatabase(createDatabase);

    test("keeps everything and returns what the work returned", async () => {
      const { store } = fixture;
      const customer = sampleCustomer();
      const event = sampleEvent();
      const result = await store.transaction(async (repositories) => {
        await repositories.customers.insert(customer);
        await repositories.usage.insertBatch({ events: [event], refusals: [] });
        return await repositories.customers.findById(customer.id);
      });
      expect(result).toEqual(customer);
      expect(await store.customers.findById(customer.id)).toEqual(customer);
      expect((await store.usage.listEvents({ limit: 10 })).rows).toEqual([event]);
      expect(await changesSince(store, 0)).toEqual([`customer ${customer.id}`]);
    });

    test("leaves no trace when the work throws, and passes its error on", async () => {
      const { store } = fixture;
      const thrown = new Error("changed my mind");
      const customer = sampleCustomer();
      const attempt = store.transaction(async (repositories) => {
        await insertBelongings(repositories);
        await repositories.customers.insert(customer);
        await repositories.usage.insertBatch({ events: [sampleEvent()], refusals: [] });
        throw thrown;
      });
      await expect(attempt).rejects.toBe(thrown);
      expect(await store.customers.findById(customer.id)).toBeUndefined();
      expect((await store.projects.list({ limit: 10 })).rows).toEqual([]);
      expect((await store.usage.listEvents({ limit: 10 })).rows).toEqual([]);
      const [total] = (await store.usage.summarize({ limit: 10 }, { groupBy: [] })).rows;
      expect(total?.calls).toBe(0);
      expect(await changesSince(store, 0)).toEqual([]);
      await store.customers.insert(customer);
    });

    test("leaves no trace when a statement in it is refused", async () => {
      const { store } = fixture;
      const project = sampleProject();
      await store.projects.insert(project);
      const customer = sampleCustomer();
      const attempt = store.transaction(async (repositories) => {
        await repositories.customers.insert(customer);
        await repositories.projects.insert(sampleProject({ name: project.name }));
      });
      await expect(attempt).rejects.toBeInstanceOf(UniqueViolationError);
      expect(await store.customers.findById(customer.id)).toBeUndefined();
    });

    test("is not seen by others before its end", async () => {
      const { store, database } = fixture;
      const other = database.open();
      const customer = sampleCustomer();
      await store.transaction(async (repositories) => {
        await repositories.customers.insert(customer);
        expect(await store.customers.findById(customer.id)).toBeUndefined();
        expect(await other.customers.findById(customer.id)).toBeUndefined();
        expect(await other.changes.latestSequence()).toBe(0);
      });
      expect(await other.customers.findById(customer.id)).toEqual(customer);
    });

    test("takes turns with those of other processes, so that what it has read still holds when it writes", async () => {
      const { store, database } = fixture;
      const rounds = 8;
      const count = async (of: typeof store) => {
        for (let i = 0; i < rounds; i += 1) {
          await of.transaction(async (repositories) => {
            const { rows } = await repositories.projects.list({ limit: 100 });
            await repositories.projects.insert(sampleProject({ name: `no. ${rows.length}` }));
          });
        }
      };
      await Promise.all([store, database.open(), database.open()].map(count));
      const { rows } = await store.projects.list({ limit: 100 });
      const names = Array.from({ length: 3 * rounds }, (_, i) => `no. ${i}`);
      expect(new Set(rows.map((row) => row.name))).toEqual(new Set(names));
    });

    test("takes turns with the other work of its own process", async () => {
      const { store } = fixture;
      const customers = Array.from({ length: 30 }, () => sampleCustomer());
      await Promise.all(
        customers.map(async (customer, i) => {
          if (i % 3 === 0) await store.customers.insert(customer);
          else {
            await store.transaction(async (repositories) => {
              await repositories.customers.insert(customer);
              await repositories.customers.findById(customer.id);
            });
          }
        }),
      );
      expect((await store.customers.list({ limit: 100 })).rows).toHaveLength(customers.length);
    });
  });

  describe("the change log", () => {
    const fixture = useDatabase(createDatabase);

    test("is read in order, from any sequence on and no further than asked", async () => {
      const { store } = fixture;
      expect(await store.changes.latestSequence()).toBe(0);
      expect(await store.changes.listSince(0, 10)).toEqual([]);
      const customers = [sampleCustomer(), sampleCustomer(), sampleCustomer()];
      for (const customer of customers) await store.customers.insert(customer);
      const all = await store.changes.listSince(0, 10);
      expect(all.map((change) => change.entityId)).toEqual(customers.map(({ id }) => id));
      expect(await store.changes.latestSequence()).toBe(all[2]?.sequence);
      expect(await store.changes.listSince(0, 2)).toEqual(all.slice(0, 2));
      expect(await store.changes.listSince(all[0]?.sequence ?? 0, 10)).toEqual(all.slice(1));
      expect(await store.changes.listSince(all[2]?.sequence ?? 0, 10)).toEqual([]);
    });

    test("shows no change before one with a lower sequence: who polls behind a slow transaction misses nothing", async () => {
      const { store, database } = fixture;
      const quick = database.open();
      const reader = database.open();
      const slowCustomer = sampleCustomer();
      const quickCustomer = sampleCustomer();
      let quickInsert = Promise.resolve();
      await store.transaction(async (repositories) => {
        await repositories.customers.insert(slowCustomer);
        quickInsert = quick.customers.insert(quickCustomer);
        // The quick one has all the time it needs to overtake, if it could.
        for (let i = 0; i < 50; i += 1) expect(await reader.changes.listSince(0, 10)).toEqual([]);
      });
      await quickInsert;
      expect(await changesSince(reader, 0)).toEqual([
        `customer ${slowCustomer.id}`,
        `customer ${quickCustomer.id}`,
      ]);
    });

    test("reaches a poller completely while several processes write, revoke and roll back", async () => {
      const { store, database } = fixture;
      const of = await insertBelongings(store);
      const start = await store.changes.latestSequence();
      const expected: string[] = [];
      const write = async (writer: typeof store) => {
        for (let i = 0; i < 12; i += 1) {
          const key = sampleGatewayKey(of);
          await writer.gatewayKeys.insert(key);
          expected.push(`gatewayKey ${key.id}`);
          const undone = writer.transaction(async (repositories) => {
            await repositories.customers.insert(sampleCustomer());
            throw new Error("undone");
          });
          await expect(undone).rejects.toThrow("undone");
          if (await writer.gatewayKeys.revoke(key.id, 1)) expected.push(`gatewayKey ${key.id}`);
        }
      };
      const reader = database.open();
      const polled: string[] = [];
      let last = start;
      const poll = async () => {
        for (const change of await reader.changes.listSince(last, 5)) {
          expect(change.sequence).toBeGreaterThan(last);
          polled.push(`${change.kind} ${change.entityId}`);
          last = change.sequence;
        }
      };
      const writing = { isDone: false };
      const written = Promise.all([store, database.open(), database.open()].map(write)).finally(
        () => {
          writing.isDone = true;
        },
      );
      while (!writing.isDone) await poll();
      await written;
      while (last < (await reader.changes.latestSequence())) await poll();
      expect(polled.toSorted()).toEqual(expected.toSorted());
    });
  });
}
