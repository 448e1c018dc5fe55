import { randomUUID } from "node:crypto";
import { readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Config } from "../config/config-schema.ts";
import { reachableUrl } from "../core/network/reachable-url.ts";
import { SILENT_AFTER_MS } from "../core/processes/heartbeat.ts";
import type { Store } from "../store/store.ts";
import { findDataDirectoryId } from "./data-directory-id.ts";

const URL_FILE = "server.url";

/** Leaves word of where the server on the data directory is reached: it may have been told so by a flag. */
export async function noteOwnUrl(dataDir: string, url: string): Promise<void> {
  const draft = join(dataDir, `${URL_FILE}.${randomUUID()}`);
  await writeFile(draft, `${url}\n`, { mode: 0o600 });
  await rename(draft, join(dataDir, URL_FILE));
}

/**
 * What links for people begin with: the setting `publicUrl`; else where the server on this data directory runs, whatever
 * it was started with; else where the settings would have it run.
 */
export async function findOwnUrl(
  config: Pick<Config, "publicUrl" | "host" | "port" | "dataDir">,
  { processes }: { readonly processes: Pick<Store["processes"], "listRunning"> },
): Promise<string> {
  if (config.publicUrl !== null) return config.publicUrl;
  const noted = await readNotedUrl(config.dataDir);
  if (noted !== undefined) {
    const id = await findDataDirectoryId(config.dataDir);
    const running = await processes.listRunning();
    const isOurs = running.some(
      ({ dataDirectoryId, silentForMs }) => dataDirectoryId === id && silentForMs < SILENT_AFTER_MS,
    );
    if (isOurs) return noted;
  }
  return reachableUrl(config.host, config.port);
}

/** What was noted last, by a server that may be gone; undefined where nothing was, or nothing that is such a URL. */
export async function readNotedUrl(dataDir: string): Promise<string | undefined> {
  let text: string;
  try {
    text = (await readFile(join(dataDir, URL_FILE), "utf8")).trim();
  } catch (err) {
    if ((err as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw err;
  }
  return /^http:\/\/[^\s/]+$/.test(text) && URL.canParse(text) ? text : undefined;
}
