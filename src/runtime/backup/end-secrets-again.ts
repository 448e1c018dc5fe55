/** Of catching up: secrets of gateway keys that were ended, while the key went on. */
import type { AuditEntry } from "../../core/audit/audit-entry.ts";
import type { GatewayKeyId } from "../../core/ids/ids.ts";
import type { AuditedStore } from "../../store/audited-store.ts";

type Keys = Pick<AuditedStore, "gatewayKeys">;

const END = {
  "gatewayKey.oldSecretsEnded": endOld,
  "gatewayKey.rotationWithdrawn": withdraw,
} as const;

export function endsSecret({ action }: Pick<AuditEntry, "action">): boolean {
  return action in END;
}

/**
 * Ends what these entries say was ended of keys that are not revoked, and that holds again; says of how many keys. What was
 * begun later than an entry is let be, so that an old entry, or doing it twice, harms nobody.
 */
export async function endSecretsAgain(
  store: Keys,
  entries: readonly AuditEntry[],
  nowMs: number,
): Promise<number> {
  const done = new Set<string>();
  for (const entry of entries.toSorted((one, other) => one.sequence - other.sequence)) {
    const end = END[entry.action as keyof typeof END];
    if (end !== undefined && (await end(store, entry, nowMs))) done.add(entry.target.id);
  }
  return done.size;
}

async function endOld({ gatewayKeys }: Keys, entry: AuditEntry, nowMs: number): Promise<boolean> {
  const id = entry.target.id as GatewayKeyId;
  const key = await gatewayKeys.findById(id);
  if (key?.revokedAtMs !== null) return false;
  const holding = await gatewayKeys.supersededOf([id], nowMs);
  if (!holding.some(({ supersededAtMs }) => supersededAtMs <= entry.atMs)) return false;
  return (await gatewayKeys.endSuperseded(id, nowMs)) > 0;
}

/** Only where the key stands as it did before the rotation was withdrawn; else `rotatedGatewayKeys` names it. */
async function withdraw(
  { gatewayKeys }: Keys,
  { target, before, after }: AuditEntry,
  nowMs: number,
): Promise<boolean> {
  const id = target.id as GatewayKeyId;
  const key = await gatewayKeys.findById(id);
  if (key?.revokedAtMs !== null || key.preview !== previewOf(before)) return false;
  const holding = await gatewayKeys.supersededOf([id], nowMs);
  const last = holding.find(({ reason }) => reason === "replaced");
  if (last === undefined || last.preview !== previewOf(after)) return false;
  return await gatewayKeys.withdrawSecret(id, nowMs);
}

/** What an entry says of the preview of a key's own secret. */
export function previewOf(fields: string | null): unknown {
  return (JSON.parse(fields ?? "{}") as { readonly preview?: unknown }).preview;
}
