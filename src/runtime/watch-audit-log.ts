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
  },
  closers: Pick<Closers, "add">,
): Promise<AuditedStore> {
  const { log, dataDir } = parts;
  const markPlace = new AuditMarkFile(dataDir, (err) =>
    log.error({ err }, "it can't be noted how far the audit log has come"),
  );
  const audited = await openAudit({ ...parts, nowMs: Date.now, markPlace });
  await watchAuditLog({ audited, log }, closers);
  return audited;
}

/**
 * Has the mark in the data directory follow what other machines write, and says in the log when the audit log has not come
 * as far as it was seen to have: once, not every time.
 */
async function watchAuditLog(
  deps: { readonly audited: Pick<AuditedStore, "followLog">; readonly log: Log },
  closers: Pick<Closers, "add">,
): Promise<void> {
  const { audited, log } = deps;
  let told: string | undefined;
  const look = async (): Promise<void> => {
    try {
      const { mark, problem } = await audited.followLog();
      if (problem?.fault === told) return;
      told = problem?.fault;
      if (problem === undefined) log.info({}, "the audit log is again what was seen of it");
      else log.error({ ...problem, seen: mark }, BACKWARDS);
    } catch (err) {
      if (told !== UNREAD) log.warn({ err }, "it can't be seen how far the audit log has come");
      told = UNREAD;
    }
  };
  let looking = look();
  const timer = setInterval(() => {
    looking = looking.then(look);
  }, INTERVAL_MS);
  closers.add("audit watch", async () => {
    clearInterval(timer);
    await looking;
  });
  await looking;
}

const UNREAD = "unread";
const BACKWARDS =
  "the audit log is not what this data directory has seen of it: its end was cut off, or another database was put in its place; `keyward audit verify` says more";
