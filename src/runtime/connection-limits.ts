import { readFileSync } from "node:fs";
import type { Config } from "../config/config-schema.ts";
import type { ConnectionLimits } from "../proxy/http/connection-limits.ts";

/** Files that are open besides connections: database, journal, logs, threads. */
const OTHER_FILES = 128;
const MIN_CONNECTIONS = 16;

/**
 * The settings, with no more connections than the process has files for: each call needs a second one, to its
 * provider, and a journal that cannot open its next segment would refuse all calls.
 */
export function connectionLimits(
  config: Pick<Config, keyof ConnectionLimits>,
  maxOpenFiles: number,
): ConnectionLimits {
  const affordable = Math.floor((maxOpenFiles - OTHER_FILES) / 2);
  return {
    maxConnections: Math.max(MIN_CONNECTIONS, Math.min(config.maxConnections, affordable)),
    clientHeadersTimeoutMs: config.clientHeadersTimeoutMs,
    clientRequestTimeoutMs: config.clientRequestTimeoutMs,
    clientIdleTimeoutMs: config.clientIdleTimeoutMs,
    keepAliveTimeoutMs: config.keepAliveTimeoutMs,
  };
}

/** How many files this process may open; Infinity where the system does not say (it is not Linux). */
export function readMaxOpenFiles(path = "/proc/self/limits"): number {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch {
    return Number.POSITIVE_INFINITY; // No such file on other systems: the setting alone counts there.
  }
  const soft = /^Max open files +(\d+)/m.exec(text)?.[1];
  return soft === undefined ? Number.POSITIVE_INFINITY : Number(soft);
}
