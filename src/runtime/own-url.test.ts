import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { IdFactory } from "../core/ids/ids.ts";
import type { ProcessRecord } from "../store/records.ts";
import { readDataDirectoryId } from "./data-directory-id.ts";
import { findOwnUrl, noteOwnUrl } from "./own-url.ts";

const ids = new IdFactory({ nowMs: Date.now, randomBytes: (count) => new Uint8Array(count) });
let dataDir: string;
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "own-url-"));
});
afterEach(() => rm(dataDir, { recursive: true }));

const configOf = (host: string, publicUrl: string | null = null) => ({
  host,
  port: 4141,
  publicUrl,
  dataDir,
});

async function storeWith(silentForMs: number) {
  const process: ProcessRecord = {
    id: ids.create("prc"),
    dataDirectoryId: await readDataDirectoryId(dataDir, ids),
    hostName: "here",
    pid: 1,
    version: "1",
    startedAtMs: 0,
    heartbeatAtMs: 0,
    silentForMs,
    stoppedAtMs: null,
  };
  return { processes: { listRunning: () => Promise.resolve([process]) } };
}
const NOBODY = { processes: { listRunning: () => Promise.resolve([]) } };

it("is the public URL, whatever runs", async () => {
  await noteOwnUrl(dataDir, "http://127.0.0.1:5000");
  const config = configOf("0.0.0.0", "https://keyward.example.com");
  expect(await findOwnUrl(config, await storeWith(0))).toBe("https://keyward.example.com");
});

it("is where the server on the data directory runs, while it runs", async () => {
  await noteOwnUrl(dataDir, "http://127.0.0.1:5000");
  await noteOwnUrl(dataDir, "http://127.0.0.1:5001");
  const config = configOf("127.0.0.1");
  expect(await findOwnUrl(config, await storeWith(2_000))).toBe("http://127.0.0.1:5001");
  expect(await findOwnUrl(config, await storeWith(60_000))).toBe("http://127.0.0.1:4141");
  expect(await findOwnUrl(config, NOBODY)).toBe("http://127.0.0.1:4141");
  const others = await storeWith(0);
  await rm(join(dataDir, "directory.id"));
  expect(await findOwnUrl(config, others)).toBe("http://127.0.0.1:4141");
  expect(await readdir(dataDir)).toEqual(["server.url"]);
});

it("opens also where the settings name every address, or an IPv6 one", async () => {
  expect(await findOwnUrl(configOf("0.0.0.0"), NOBODY)).toBe("http://127.0.0.1:4141");
  expect(await findOwnUrl(configOf("::1"), NOBODY)).toBe("http://[::1]:4141");
  await writeFile(join(dataDir, "server.url"), "javascript:alert(1)");
  expect(await findOwnUrl(configOf("::"), await storeWith(0))).toBe("http://127.0.0.1:4141");
});
