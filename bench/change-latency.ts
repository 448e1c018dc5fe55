/**
 * How long a change takes from its commit until another process has applied it: on Postgres told (LISTEN/NOTIFY), and by
 * the poll alone; on SQLite by the poll. `node bench/change-latency.ts [changes]`
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { startChangePoller } from "../src/runtime/change-poller.ts";
import { sampleCustomer } from "../src/store/contract/samples.contract.ts";
import { PostgresStore } from "../src/store/postgres/postgres-store.ts";
import { SqliteStore } from "../src/store/sqlite/sqlite-store.ts";
import type { Store } from "../src/store/store.ts";
import { startPostgres } from "../test/support/postgres.ts";

const changes = Number(process.argv[2] ?? 300);
const LOG = { debug() {}, info() {}, warn() {}, error() {} };
const SPREAD_MS = 250;

/** Milliseconds from each commit to its application by a poller on a store of its own. */
async function measure(writer: Store, reader: Store, isTold: boolean): Promise<number[]> {
  let sequence = await reader.changes.latestSequence();
  const applied = new Map<string, PromiseWithResolvers<number>>();
  const poller = startChangePoller({
    snapshot: {
      async refresh() {
        for (const change of await reader.changes.listSince(sequence, 1000)) {
          sequence = change.sequence;
          applied.get(change.entityId)?.resolve(performance.now());
        }
      },
    },
    store: {
      watchChanges: (onChange) =>
        isTold
          ? reader.watchChanges(onChange)
          : { isListening: () => false, close: () => Promise.resolve() },
    },
    log: LOG,
  });
  await delay(1_000);
  const tookMs: number[] = [];
  for (let change = 0; change < changes; change += 1) {
    const customer = sampleCustomer();
    const seen = Promise.withResolvers<number>();
    applied.set(customer.id, seen);
    await writer.customers.insert(customer);
    const committedMs = performance.now();
    tookMs.push(Math.max(0, (await seen.promise) - committedMs));
    // Not in step with the poll.
    await delay(Math.random() * SPREAD_MS);
  }
  await poller.stop();
  return tookMs.toSorted((a, b) => a - b);
}

function report(name: string, sorted: readonly number[]): void {
  const at = (share: number): string =>
    (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0).toFixed(1);
  process.stdout.write(
    `${name}: p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, most ${at(1)} ms (${sorted.length} changes)\n`,
  );
}

const server = await startPostgres();
const url = await server.createDatabase();
const [writer, reader] = [new PostgresStore({ url }), new PostgresStore({ url })];
await writer.migrate();
report("Postgres, told", await measure(writer, reader, true));
report("Postgres, poll alone", await measure(writer, reader, false));
await Promise.all([writer.close(), reader.close()]);
await server.stop();

const directory = await mkdtemp(join(tmpdir(), "keyward-changes-"));
const path = join(directory, "keyward.db");
const [one, other] = [new SqliteStore({ path }), new SqliteStore({ path })];
await one.migrate();
report("SQLite, poll", await measure(one, other, true));
await Promise.all([one.close(), other.close()]);
await rm(directory, { recursive: true });
