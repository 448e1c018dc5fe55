import type { AuditEntry } from "../../core/audit/audit-entry.ts";
import type { AuditRepository } from "../../store/audit-repository.ts";
import type { HandChange } from "../../store/sqlite/access-state.ts";
import { SECRET_ACTIONS, type SecretChange } from "./revived-secrets.ts";

/** An entry of an export, less what nobody is told. */
export interface ExportedChange extends HandChange, SecretChange {
  readonly hash: string;
}

export function exportedChangeOf(entry: AuditEntry): ExportedChange {
  const { sequence, atMs, actor, action, target, hash } = entry;
  const after = SECRET_ACTIONS.has(action) ? entry.after : null;
  const what = { target: target.name ?? target.id, targetId: target.id, after };
  return { sequence, atMs, actor: actor.name, action, ...what, hash };
}

/**
 * Those that the database has not, newest first. Its log may have gone on since it was put back: up to where both are the same, which is
 * looked for from its end.
 */
export async function findLost(
  changes: readonly ExportedChange[],
  audit: Pick<AuditRepository, "findHead" | "findBySequence">,
): Promise<readonly ExportedChange[]> {
  const end = (await audit.findHead())?.sequence ?? 0;
  const lost: ExportedChange[] = [];
  for (const change of changes.toSorted((one, other) => other.sequence - one.sequence)) {
    const { sequence, hash } = change;
    if (sequence <= end && (await audit.findBySequence(sequence))?.hash === hash) break;
    if (lost.at(-1)?.sequence !== sequence) lost.push(change);
  }
  return lost;
}
