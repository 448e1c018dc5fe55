/** A real disk of a few megabytes under the journal and the database, and no space left on it. */
import { execFile } from "node:child_process";
import { mkdtemp, rm, statfs, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, expect, test } from "vitest";
import { listEvents } from "../support/list-events.ts";
import { until } from "../support/poll.ts";
import { besiege, expectAtRest } from "./support/besieged-keyward.ts";
import { readErrorBody } from "./support/expect-refusal.ts";
import { exchange } from "./support/raw-connection.ts";

const run = promisify(execFile);
const disk = await mkdtemp(join(tmpdir(), "keyward-disk-"));
/** Where a test may mount one: as root on Linux. */
const isMounted = await run("mount", ["-t", "tmpfs", "-o", "size=24m", "tmpfs", disk]).then(
  () => true,
  () => false,
);

afterAll(async () => {
  if (isMounted) await run("umount", [disk]);
  await rm(disk, { recursive: true, force: true });
});

async function fill(path: string): Promise<void> {
  const { bavail, bsize } = await statfs(disk);
  await writeFile(path, Buffer.alloc(bavail * bsize)).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOSPC") throw error;
  });
}

test.skipIf(!isMounted)(
  "a full disk: calls are refused before they are sent, none that was sent is lost, and it recovers by itself",
  async () => {
    const besieged = await besiege({ KEYWARD_DATA_DIR: join(disk, "data") });
    try {
      const call = async (): Promise<number> => {
        const { responses } = await exchange(besieged.url, besieged.request());
        const status = responses[0]?.status ?? 0;
        if (status !== 200) {
          expect(readErrorBody(responses[0]).error.code).toBe("journal_unavailable");
          expect(responses[0]?.headers.get("x-should-retry")).toBe("true");
        }
        return status;
      };
      expect(await call()).toBe(200);
      await fill(join(disk, "filler"));
      // What the filesystem has rounded up is used up first.
      await until("a call is refused", async () => (await call()) === 503);
      const sent = besieged.upstream.requests.length;
      for (let i = 0; i < 20; i += 1) expect(await call()).toBe(503);
      expect(besieged.upstream.requests).toHaveLength(sent);
      expect((await fetch(`${besieged.url}/healthz`)).status).toBe(200);

      await rm(join(disk, "filler"));
      await until("a call is taken again", async () => (await call()) === 200);
      await expectAtRest(besieged);
      // The database was found away while the disk was full, and is asked again before long.
      await until("it is ready", async () => (await fetch(`${besieged.url}/readyz`)).ok);
      const events = await listEvents(besieged.admin);
      expect(events).toHaveLength(besieged.upstream.requests.length);
      expect(events.every(({ status }) => status === "succeeded")).toBe(true);
    } finally {
      await besieged.close();
    }
  },
);
