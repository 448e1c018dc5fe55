import { isMarkFault } from "../core/audit/verify-chain.ts";
import type { AuditedStore } from "../store/audited-store.ts";
import type { Store } from "../store/store.ts";
import type { Log } from "../telemetry/log.ts";
import type { Vault } from "../vault/vault.ts";
import { AuditMarkFile } from "./audit-mark-file.ts";
import type { Closers } from "./closers.ts";
import { openAudit } from "./open-audit.ts";

const INTERVAL_MS = 10_000;

/** The store for whoever changes something, of a server. */
export async function openWatchedAudit(
  parts: {
    readonly store: Store;
    readonly vault: Pick<Vault, "hasher">;
    readonly log: Log;
    readonly dataDir: string;
    readonly intervalMs?: number;
  },
  closers: Pick<Closers, "add">,
): Promise<AuditedStore> {
  const { log, dataDir, intervalMs = INTERVAL_MS } = parts;
  const markPlace = new AuditMarkFile(dataDir, (err) =>
    log.error({ err }, "it can't be noted how far the audit log has come"),
  );
  const audited = await openAudit({ ...parts, nowMs: Date.now, markPlace });
  await watchAuditLog({ audited, log, intervalMs }, closers);
  return audited;
}

/**
 * Has the mark in the data directory follow what other machines write, reads the log a little at a time, and says in the log of
 * the server what is wrong with it: once, not every time.
 */
async function watchAuditLog(
  deps: {
    readonly audited: Pick<AuditedStore, "followLog">;
    readonly log: Log;
    readonly intervalMs: number;
  },
  closers: Pick<Closers, "add">,
): Promise<void> {
  const { audited, log, intervalMs } = deps;
  let told: string | undefined;
  const look = async (): Promise<void> => {
    try {
      const { mark, problem } = await audited.followLog();
      const found = problem && `${problem.fault} ${problem.sequence}`;
      if (found === told) return;
      told = found;
      if (problem === undefined) log.info({}, "the audit log is again what was seen of it");
      else log.error({ ...problem, seen: mark }, isMarkFault(problem.fault) ? BACKWARDS : BROKEN);
    } catch (err) {
      if (told !== UNREAD) log.warn({ err }, "it can't be seen how far the audit log has come");
      told = UNREAD;
    }
  };
  let looking: Promise<void> | undefined;
  const lookOnce = (): void => {
    looking ??= look().finally(() => {
      looking = undefined;
    });
  };
  const timer = setInterval(lookOnce, intervalMs);
  closers.add("audit watch", async () => {
    clearInterval(timer);
    await looking;
  });
  await look();
}

const UNREAD = "unread";
const BACKWARDS =
  "the audit log is not what this data directory has seen of it: its end was cut off, or another database was put in its place; `keyward audit verify` says more";
const BROKEN =
  "the audit log is not what was written: an entry was altered, removed or moved; `keyward audit verify` says more";
