import { Client } from "pg";
import { afterAll, beforeAll } from "vitest";
import { startPostgres, type TestPostgres } from "../../../test/support/postgres.ts";
import { type TestDatabase, TIMEOUT_MS } from "../contract/fixture.contract.ts";
import { describeStore } from "../store.contract.ts";
import { PostgresStore } from "./postgres-store.ts";

let server: TestPostgres | undefined;
beforeAll(async () => {
  server = await startPostgres();
}, TIMEOUT_MS);
afterAll(async () => {
  await server?.stop();
}, TIMEOUT_MS);

describeStore("Postgres", createPostgresDatabase);

async function createPostgresDatabase(): Promise<TestDatabase> {
  if (server === undefined) throw new Error("the server has not started");
  const url = await server.createDatabase();
  const stores: PostgresStore[] = [];
  // One connection for all that is done behind the store's back: to log in takes longer than most of it.
  let besides: Promise<Client> | undefined;
  const closeStores = async (): Promise<void> => {
    await Promise.all(stores.splice(0).map((store) => store.close()));
  };
  return {
    open() {
      const store = new PostgresStore({ url, maxConnections: 4 });
      stores.push(store);
      return store;
    },
    async execute(statements) {
      besides ??= connectTo(url);
      await (await besides).query(statements);
    },
    restartSequence: "alter table change_log alter column sequence restart",
    closeStores,
    async drop() {
      await closeStores();
      await (await besides)?.end();
    },
  };
}

async function connectTo(url: string): Promise<Client> {
  const client = new Client({ connectionString: url });
  await client.connect();
  return client;
}
