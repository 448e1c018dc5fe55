import { Client } from "pg";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { until } from "../../../test/support/poll.ts";
import { startPostgres, type TestPostgres } from "../../../test/support/postgres.ts";
import { TIMEOUT_MS } from "../contract/fixture.contract.ts";
import { sampleAccount, sampleProject } from "../contract/samples.contract.ts";
import { ChangeListener } from "./change-listener.ts";
import { PostgresStore } from "./postgres-store.ts";

describe("changes on Postgres", { timeout: TIMEOUT_MS }, () => {
  let server: TestPostgres;
  let url: string;
  let store: PostgresStore;
  let admin: Client;
  let told: number;
  let lost: Error[];
  let listener: ChangeListener;

  beforeAll(async () => {
    server = await startPostgres();
    url = await server.createDatabase();
    store = new PostgresStore({ url });
    await store.migrate();
    admin = new Client({ connectionString: url });
    await admin.connect();
  }, TIMEOUT_MS);
  afterEach(() => listener.close());
  afterAll(async () => {
    await store.close();
    await admin.end();
    await server.stop();
  }, TIMEOUT_MS);

  async function listen(to = url): Promise<void> {
    told = 0;
    lost = [];
    listener = new ChangeListener({
      url: to,
      connectTimeoutMs: 2_000,
      onChange: () => (told += 1),
      onLost: (error) => lost.push(error),
      firstRetryMs: 20,
    });
    if (to === url) await until("it listens", () => listener.isListening());
  }

  async function listeningBackends(): Promise<number[]> {
    const { rows } = await admin.query<{ pid: number }>(
      "select pid from pg_stat_activity where application_name = 'keyward changes'",
    );
    return rows.map(({ pid }) => pid);
  }

  test("are told once they are committed, those of a transaction together, other rows never", async () => {
    await listen();
    // With its first connection it is told of whatever was before.
    expect(told).toBe(1);
    await store.projects.insert(sampleProject());
    await store.providerAccounts.insert(sampleAccount());
    await until("it is told", () => told > 1);
    await store.transaction(async ({ providerAccounts }) => {
      await providerAccounts.insert(sampleAccount());
      await providerAccounts.insert(sampleAccount());
    });
    await until("it is told again", () => told > 2);
    // A round trip on the listening server later nothing more has come.
    await store.ping();
    expect(told).toBe(3);
    expect(lost).toEqual([]);
  });

  test("are told again after the connection was ended, and so is that some may be missing", async () => {
    await listen();
    const [pid] = await listeningBackends();
    await admin.query("select pg_terminate_backend($1)", [pid]);
    await until("it has noticed", () => lost.length > 0);
    await until("it listens again", () => listener.isListening());
    expect(lost).toHaveLength(1);
    expect(told).toBe(2);
    await store.providerAccounts.insert(sampleAccount());
    await until("it is told", () => told === 3);
  });

  test("are listened for again and again where nobody answers, until it is closed", async () => {
    await listen("postgres://nobody@127.0.0.1:1/nothing");
    await until("it has tried several times", () => lost.length > 2);
    expect(listener.isListening()).toBe(false);
    await listener.close();
    const attempts = lost.length;
    expect(await listeningBackends()).toEqual([]);
    expect(lost).toHaveLength(attempts);
  });
});
