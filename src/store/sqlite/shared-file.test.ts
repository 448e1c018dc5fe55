import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, expect, test } from "vitest";
import { TIMEOUT_MS } from "../contract/fixture.contract.ts";
import { SqliteStore } from "./sqlite-store.ts";

const EVENTS_EACH = 120;
const EVENTS_SHARED = 60;

/** Migrates, then sends its events in small batches; every other process sends half of the same ones. */
const WRITER = `
  const [storeUrl, samplesUrl, path, first] = process.argv.slice(1);
  const { SqliteStore } = await import(storeUrl);
  const { sampleEvent, sampleCustomer } = await import(samplesUrl);
  const store = new SqliteStore({ path });
  await store.migrate();
  let inserted = 0;
  for (let at = 0; at < ${EVENTS_EACH}; at += 10) {
    const events = Array.from({ length: 10 }, (_, i) => {
      const number = Number(first) + at + i;
      return sampleEvent({
        id: "evt_" + String(number).padStart(8, "0"),
        customer: "customer " + (number % 3),
        costPicos: BigInt(number) ** 4n,
      });
    });
    const batch = await store.usage.insertBatch({ events, refusals: [] });
    inserted += batch.inserted;
    await store.customers.insert(sampleCustomer({ externalId: first + "-" + at }));
  }
  await store.close();
  process.stdout.write(String(inserted));
`;

let directory = "";
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "keyward-shared-"));
});
afterEach(async () => {
  await rm(directory, { recursive: true });
});

async function runWriter(path: string, first: number): Promise<number> {
  const urls = ["./sqlite-store.ts", "../contract/samples.contract.ts"].map(
    (file) => new URL(file, import.meta.url).href,
  );
  const script = ["--input-type=module", "--eval", WRITER, ...urls, path, String(first)];
  const child = spawn(process.execPath, script, { stdio: ["ignore", "pipe", "inherit"] });
  const [output, [code]] = await Promise.all([text(child.stdout), once(child, "exit")]);
  expect(code).toBe(0);
  return Number(output);
}

test(
  "several processes on one file migrate, write and count each event once",
  async () => {
    const path = join(directory, "keyward.db");
    const starts = [0, 1, 2].map((writer) => writer * EVENTS_SHARED);
    const inserted = await Promise.all(starts.map((first) => runWriter(path, first)));
    const total = 2 * EVENTS_SHARED + EVENTS_EACH;
    expect(inserted.reduce((sum, count) => sum + count)).toBe(total);

    const store = new SqliteStore({ path });
    const costPicos = Array.from({ length: total }, (_, i) => BigInt(i) ** 4n).reduce(
      (a, b) => a + b,
    );
    const { rows } = await store.usage.summarize({ limit: 1 }, { groupBy: [] });
    expect(rows[0]).toMatchObject({ calls: total, costPicos });
    const changes = await store.changes.listSince(0, 1000);
    expect(changes).toHaveLength(3 * (EVENTS_EACH / 10));
    await store.close();
  },
  TIMEOUT_MS,
);
