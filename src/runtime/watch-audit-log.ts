import type { AuditedStore } from "../store/audited-store.ts";
import type { Log } from "../telemetry/log.ts";
import type { Closers } from "./closers.ts";

const INTERVAL_MS = 10_000;

/**
 * Has the mark in the data directory follow what other machines write, and says in the log when the audit log has not come
 * as far as it was seen to have: once, not every time.
 */
export async function watchAuditLog(
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
