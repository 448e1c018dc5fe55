import { join } from "node:path";
import type { Config } from "../config/config-schema.ts";
import { reachableUrl } from "../core/network/reachable-url.ts";
import { JOURNAL_FOLDER } from "../runtime/data-directory.ts";
import { inspectJournals } from "../runtime/inspect-journals.ts";
import { readNotedUrl } from "../runtime/own-url.ts";
import { type Answerer, probeServer } from "./probe-server.ts";

/** Where a server of the data directory is looked for, and what answers there. */
interface ServerHere {
  readonly url: string;
  readonly host: string;
  readonly port: number;
  readonly answerer: Answerer;
  /** Processes that hold a journal in the data directory: a server of this one runs, wherever it listens. */
  readonly running: number;
}

/**
 * Where the server on the data directory said that it is, where one runs and answers there: it may have been started with
 * `--port`. Else where the settings would have it.
 */
export async function findServerHere({
  dataDir,
  host,
  port,
}: Pick<Config, "dataDir" | "host" | "port">): Promise<ServerHere> {
  const { running } = await inspectJournals(join(dataDir, JOURNAL_FOLDER));
  // Without one that runs the note is an old one, and somebody else may listen there by now.
  const url = running > 0 ? await readNotedUrl(dataDir) : undefined;
  if (url !== undefined) {
    const noted = new URL(url);
    const address = {
      host: noted.hostname.replace(/^\[|\]$/g, ""),
      port: noted.port === "" ? 80 : Number(noted.port),
    };
    const answerer = await probeServer(address.host, address.port);
    if (answerer.kind === "keyward") return { url, ...address, answerer, running };
  }
  const answerer = await probeServer(host, port);
  return { url: reachableUrl(host, port), host, port, answerer, running };
}
