import { once } from "node:events";
import { createServer, type AddressInfo, type Socket } from "node:net";
import { afterEach, expect, it } from "vitest";
import type { EnvironmentId } from "../core/ids/ids.ts";
import type { SnapshotSource } from "../proxy/snapshot.ts";
import { PostgresStore } from "../store/postgres/postgres-store.ts";
import { withAnswerDeadline } from "./answer-deadline.ts";

const closers: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

it("gives up on a database that takes connections and says nothing", async () => {
  const store = await storeOfSilentServer();
  const source = withAnswerDeadline(
    sourceOf(() => store.changes.latestSequence()),
    50,
  );
  const silent = "no answer came within 50 ms";
  await expect(source.latestSequence()).rejects.toThrow(silent);
  await expect(source.changesSince(0)).rejects.toThrow(silent);
  await expect(source.findKeyByHash("hash")).rejects.toThrow(silent);
  await expect(source.loadRouting("env_1" as EnvironmentId)).rejects.toThrow(silent);
});

it("hands on what the store says in time, refusals included", async () => {
  const answering = withAnswerDeadline(
    sourceOf(() => Promise.resolve(7)),
    60_000,
  );
  expect(await answering.latestSequence()).toBe(7);
  const refusing = withAnswerDeadline(
    sourceOf(() => Promise.reject(new Error("gone"))),
    60_000,
  );
  await expect(refusing.latestSequence()).rejects.toThrow("gone");
});

/** Whatever is asked, the same question goes to the store. */
function sourceOf(ask: () => Promise<number>): SnapshotSource {
  return {
    findKeyByHash: async () => void (await ask()),
    findKeyById: async () => void (await ask()),
    loadRouting: async () => {
      await ask();
      return { routes: [], rules: [], unpricedPolicy: "allow_and_alert" };
    },
    latestSequence: ask,
    changesSince: async () => [void (await ask())].slice(1) as [],
  };
}

async function storeOfSilentServer(): Promise<PostgresStore> {
  const sockets: Socket[] = [];
  const server = createServer((socket) => sockets.push(socket.on("error", () => undefined)));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const store = new PostgresStore({
    url: `postgres://user@127.0.0.1:${port}/database`,
    connectTimeoutMs: 60_000,
  });
  closers.push(async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await store.close();
  });
  return store;
}
