import type { Act, Actor } from "../core/audit/audit-entry.ts";
import type { AuditedStore } from "../store/audited-store.ts";
import { createAuditedStore } from "../store/audited/audited-store.ts";
import type { AuditMarkPlace } from "../store/audited/mark-keeper.ts";
import type { Store } from "../store/store.ts";
import type { Vault } from "../vault/vault.ts";

/** The store for whoever changes something by hand: the admin API, the first start, commands on the data directory. */
export async function openAudit(parts: {
  readonly store: Store;
  readonly vault: Pick<Vault, "hasher">;
  readonly nowMs: () => number;
  /** Where it is noted how far the log has come; undefined: for a database that isn't in its place. */
  readonly markPlace: AuditMarkPlace | undefined;
}): Promise<AuditedStore> {
  const { store, vault, nowMs, markPlace } = parts;
  return createAuditedStore({ store, hash: await vault.hasher("audit"), nowMs, markPlace });
}

/** What Keyward does of its own accord. */
export const BY_SYSTEM: Act = actOf({ kind: "system", id: "keyward", name: "keyward" });

/** What somebody does who has the data directory at hand. */
export const BY_LOCAL: Act = actOf({ kind: "system", id: "local", name: "local" });

function actOf(actor: Actor): Act {
  return { actor, address: null, requestId: null };
}
