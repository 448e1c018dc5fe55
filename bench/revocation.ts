/**
 * How long after a revocation its streams still deliver: three processes on one Postgres, 50 streams on the key, from the
 * answer to the revocation to the last byte of each stream; told of changes (LISTEN/NOTIFY), and with every connection that
 * listens cut again and again. `node bench/revocation.ts [rounds]`; needs `npm run build`.
 */
import { Client } from "pg";
import { expectData } from "../src/admin/client.ts";
import {
  openStreams,
  sendDevelopmentTo,
  startEndlessUpstream,
} from "../test/support/endless-streams.ts";
import { adminOf, createHome, readFirstSecrets } from "../test/support/keyward-process.ts";
import { startPostgres } from "../test/support/postgres.ts";

const rounds = Number(process.argv[2] ?? 10);
const STREAMS = 50;
const CUT_EVERY_MS = 20;
let isCutting = false;

const server = await startPostgres();
const url = await server.createDatabase();
const database = new Client({ connectionString: url });
await database.connect();
const upstream = await startEndlessUpstream();
const home = await createHome({ KEYWARD_DATABASE_URL: url });
const keyward = await home.start({ args: ["--processes", "3"] });
const admin = adminOf(keyward, readFirstSecrets(keyward).adminToken);
await sendDevelopmentTo(admin, upstream);

for (const isTold of [true, false]) {
  const tookMs: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const body = { environment: "development", name: `${isTold} ${round}` };
    const { id, key } = expectData(await admin.POST("/keys", { body }));
    const streams = await openStreams(keyward.url, key, STREAMS);
    const cutting = isTold
      ? undefined
      : setInterval(() => {
          // One at a time: a query that is still under way does the same.
          if (isCutting) return;
          isCutting = true;
          void database
            .query(
              "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'keyward changes'",
            )
            .finally(() => {
              isCutting = false;
            });
        }, CUT_EVERY_MS);
    await new Promise((resolve) => {
      setTimeout(resolve, 300 + Math.random() * 250);
    });
    expectData(await admin.POST("/keys/{id}/revoke", { params: { path: { id } } }));
    const revokedMs = performance.now();
    for (const lastMs of await streams.ended) tookMs.push(Math.max(0, lastMs - revokedMs));
    clearInterval(cutting);
    await streams.close();
  }
  const sorted = tookMs.toSorted((a, b) => a - b);
  const at = (share: number): string =>
    (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0).toFixed(0);
  process.stdout.write(
    `${isTold ? "told" : "cut "}: p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, most ${at(1)} ms (${sorted.length} streams)\n`,
  );
}

await home.remove();
await database.end();
await upstream.close();
await server.stop();
