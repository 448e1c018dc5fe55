import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import type { PostgresPoolClient } from "kysely";
import { types } from "pg";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { startPostgres, type TestPostgres } from "../../../test/support/postgres.ts";
import { TIMEOUT_MS } from "../contract/fixture.contract.ts";
import { createPool, type PoolOptions } from "./postgres-pool.ts";

describe("a pool of Postgres connections", { timeout: TIMEOUT_MS }, () => {
  let server: TestPostgres;
  let lost: Error[] = [];
  const cleanups: (() => Promise<unknown>)[] = [];

  beforeAll(async () => {
    server = await startPostgres();
  }, TIMEOUT_MS);
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0)) await cleanup();
    lost = [];
  });
  afterAll(async () => {
    await server.stop();
  }, TIMEOUT_MS);

  function open(overrides: Partial<PoolOptions> = {}) {
    const pool = createPool({
      url: server.url,
      maxConnections: 1,
      connectTimeoutMs: 5_000,
      statementTimeoutMs: 10_000,
      answerGraceMs: 5_000,
      onConnectionLost: (error) => lost.push(error),
      ...overrides,
    });
    cleanups.push(() => pool.end());
    return pool;
  }

  async function ask(pool: ReturnType<typeof open>, text: string): Promise<unknown> {
    const client = await pool.connect();
    try {
      return (await client.query<object>(text, [])).rows[0];
    } finally {
      client.release();
    }
  }

  test("hands out 64-bit integers whole, and leaves pg as it is for everybody else", async () => {
    const pool = open();
    const row = await ask(
      pool,
      "select 9223372036854775807::int8 as big, 7::int4 as small, 'x' as t",
    );
    expect(row).toEqual({ big: 2n ** 63n - 1n, small: 7, t: "x" });
    expect(types.getTypeParser(types.builtins.INT8)("7")).toBe("7");
  });

  test("goes on after the server has ended an idle connection, and says that it was lost", async () => {
    const pool = open();
    const first = await pool.connect();
    const pid = await backendOf(first);
    first.release();
    await ask(open(), `select pg_terminate_backend(${pid})`);
    await vi.waitFor(() => expect(lost.map(String)).toEqual([expect.stringMatching(/terminat/)]));
    expect(await ask(pool, "select 1 as one")).toEqual({ one: 1 });
  });

  test("goes on after the server has ended a connection in use, between two of its statements", async () => {
    const pool = open();
    const client = await pool.connect();
    await client.query("begin", []);
    await ask(open(), `select pg_terminate_backend(${await backendOf(client)})`);
    // The server ends it at its leisure; until then it answers.
    const failure = await vi.waitUntil(
      () =>
        client.query("select 1", []).then(
          () => false,
          (error: unknown) => error,
        ),
      { timeout: 10_000 },
    );
    expect(String(failure)).toMatch(/terminat|not queryable|ECONNRESET/);
    client.release();
    expect(await ask(pool, "select 1 as one")).toEqual({ one: 1 });
  });

  test("has the server stop a statement that takes too long, and keeps the connection", async () => {
    const pool = open({ statementTimeoutMs: 50 });
    const client = await pool.connect();
    const pid = await backendOf(client);
    await expect(client.query("select pg_sleep(60)", [])).rejects.toMatchObject({ code: "57014" });
    client.release();
    expect(await ask(pool, "select pg_backend_pid() as pid")).toEqual({ pid });
  });

  test("gives up a connection that has gone silent, and does not hand it out again", async () => {
    const proxy = await SilenceableProxy.start(server.url);
    cleanups.push(() => proxy.stop());
    const pool = open({ url: proxy.url, statementTimeoutMs: 100, answerGraceMs: 100 });
    expect(await ask(pool, "select 1 as one")).toEqual({ one: 1 });
    proxy.silence();
    await expect(ask(pool, "select 2 as two")).rejects.toThrow(/timeout/);
    expect(await ask(pool, "select 3 as three")).toEqual({ three: 3 });
    expect(proxy.connections).toBe(2);
  });

  test("says so when no connection is free in time, and when nobody listens", async () => {
    const pool = open({ connectTimeoutMs: 1_500 });
    const busy = await pool.connect();
    await expect(pool.connect()).rejects.toThrow(/timeout/);
    busy.release();
    expect(await ask(pool, "select 1 as one")).toEqual({ one: 1 });
    const nowhere = open({ url: "postgres://nobody@127.0.0.1:1/nothing" });
    await expect(nowhere.connect()).rejects.toThrow(/ECONNREFUSED/);
  });

  test("is refused for what is not a URL of Postgres, without a word of the URL in the error", () => {
    const password = "hunter-two";
    for (const url of [
      `mysql://user:${password}@host/db`,
      `user:${password}@host:5432/db`,
      `postgres://user:${password}@host:99999/db`,
      "",
    ]) {
      let refused: unknown;
      try {
        open({ url });
      } catch (error) {
        refused = error;
      }
      expect(String(refused)).toMatch(/postgres:\/\/user:password@host/);
      expect(JSON.stringify(refused) + String((refused as Error).stack)).not.toContain(password);
    }
  });
});

async function backendOf(client: PostgresPoolClient): Promise<number> {
  const { rows } = await client.query<{ pid: number }>("select pg_backend_pid() as pid", []);
  return rows[0]?.pid ?? 0;
}

/** Stands between pool and server; can stop passing on what the connections so far say, as a cut cable does. */
class SilenceableProxy {
  readonly url: string;
  connections = 0;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(server: Server, url: string) {
    this.#server = server;
    this.url = url;
  }

  static async start(targetUrl: string): Promise<SilenceableProxy> {
    const target = new URL(targetUrl);
    const server = createServer();
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as { readonly port: number };
    const url = Object.assign(new URL(targetUrl), { port: String(port) }).href;
    const proxy = new SilenceableProxy(server, url);
    server.on("connection", (near) => {
      proxy.connections += 1;
      const far = connect(Number(target.port), target.hostname);
      near.pipe(far);
      far.pipe(near);
      for (const socket of [near, far]) {
        proxy.#sockets.add(socket);
        // A socket that the other side has torn down is what these tests are about.
        socket.on("error", () => socket.destroy());
      }
    });
    return proxy;
  }

  silence(): void {
    for (const socket of this.#sockets) socket.unpipe().pause();
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, "close");
  }
}
