import { randomBytes } from "node:crypto";
import type { Config } from "../config/config-schema.ts";
import type { IdFactory } from "../core/ids/ids.ts";
import type { AuditedStore } from "../store/audited-store.ts";
import type { Store } from "../store/store.ts";
import type { Vault } from "../vault/vault.ts";
import type { CommandContext } from "./command.ts";

/** What is on this machine, opened. */
export interface LocalVault {
  readonly config: Config;
  readonly store: Store;
  readonly vault: Vault;
  readonly ids: IdFactory;
  readonly nowMs: () => number;
  /** Does what whoever sits at this machine does: it is written into the audit log. */
  readonly act: <Result>(work: (store: AuditedStore) => Promise<Result>) => Promise<Result>;
}

/** Opens the database and the vault of the settings, and closes them after the work. Throws StartError. */
export async function withLocalVault<Result>(
  { config, io, output }: Pick<CommandContext, "config" | "io" | "output">,
  work: (local: LocalVault) => Promise<Result>,
): Promise<Result> {
  const settings = await config();
  // Loaded here: a command that is only asked for its help need not wait for a database.
  const { openLocalStore } = await import("../runtime/local-store.ts");
  const { openVault } = await import("../runtime/open-vault.ts");
  const { IdFactory } = await import("../core/ids/ids.ts");
  const { AuditMarkFile } = await import("../runtime/audit-mark-file.ts");
  const { BY_LOCAL, openAudit } = await import("../runtime/open-audit.ts");
  const store = await openLocalStore(settings);
  try {
    const nowMs = (): number => io.nowMs();
    const ids = new IdFactory({ nowMs, randomBytes });
    const vault = await openVault({ config: settings, store, ids });
    const markPlace = new AuditMarkFile(settings.dataDir, (error) => output.warn(String(error)));
    const act: LocalVault["act"] = async (change) => {
      const audited = await openAudit({ store, vault, nowMs, markPlace });
      return await audited.as(BY_LOCAL, () => change(audited));
    };
    return await work({ config: settings, store, vault, ids, nowMs, act });
  } finally {
    await store.close();
  }
}
