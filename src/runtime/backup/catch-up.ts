/**
 * After the database was put back by other means than `keyward backup restore`: what was let in then is let in again, and nothing in
 * it knows what came later. An export of the audit log from after the backup does. Only what ends something is done again: a
 * revocation is for good, so doing one twice, or an old one, harms nobody.
 */
import { type AuditEntry, type AuditHash, auditText } from "../../core/audit/audit-entry.ts";
import type { AuditedStore } from "../../store/audited-store.ts";
import { endAdminToken } from "../../store/end-admin-token.ts";
import { listAll } from "../../store/list-all.ts";
import type { HandChange } from "../../store/sqlite/access-state.ts";
import { StartError } from "../start-error.ts";
import { carryOverAccess } from "./carry-over-access.ts";
import { endSecretsAgain, endsSecret, previewOf } from "./end-secrets-again.ts";
import { holdOpenWork, type HeldWork } from "./hold-open-work.ts";
import { type ExportExtent, ExtentReader } from "./judge-export.ts";
import { type ExportedChange, exportedChangeOf, findLost } from "./lost-changes.ts";
import { findRevivedSecrets, type RevivedSecret } from "./revived-secrets.ts";

/** How many of each. */
export interface CaughtUp {
  readonly held: HeldWork;
  readonly revokedInvitations: number;
  readonly revokedGatewayKeys: number;
  readonly revokedProviderKeys: number;
  readonly revokedAdminTokens: number;
  readonly removedMembers: number;
  /** Gateway keys of which a secret was ended again: an overlap was cut off, or a rotation withdrawn. */
  readonly endedGatewaySecrets: number;
  /** Names of gateway keys that have been rotated since, or back: the old secret holds again, and the new one is not known. */
  readonly rotatedGatewayKeys: readonly string[];
  /** Of provider keys that were rotated since. */
  readonly revivedSecrets: readonly RevivedSecret[];
  /** What else was changed or made since, and is as it was before that now, or gone, newest first: at most a thousand. */
  readonly undone: readonly HandChange[];
}

/** Of an export, what catching up is about. */
export interface Ended {
  readonly entries: readonly AuditEntry[];
  /** By key, the preview that its last rotation left. */
  readonly rotations: ReadonlyMap<string, AuditEntry>;
  readonly extent: ExportExtent;
  readonly changes: readonly ExportedChange[];
}

/** Ends sessions, invitations, links for new passwords and client tokens, all of them; then what the export says was ended. */
export async function catchUp(
  store: AuditedStore,
  exported: Ended | undefined,
  nowMs: number,
): Promise<CaughtUp> {
  // First: what is done here is written into the log that it is compared with.
  const lost = await findLost(exported?.changes ?? [], store.audit);
  const { revokedInvitations } = await carryOverAccess(undefined, store, nowMs);
  const held = await holdOpenWork(store, nowMs);
  const done = { gatewayKey: 0, providerKey: 0, adminToken: 0, member: 0 };
  const entries = exported?.entries ?? [];
  for (const { action, target, atMs } of entries.filter((entry) => !endsSecret(entry))) {
    if (action === "adminToken.allRevoked") {
      done.adminToken += await revokeTokensBefore(store, atMs, nowMs);
    } else if (await END[action as keyof typeof END](store, target.id as never, nowMs)) {
      done[target.kind as keyof typeof done] += 1;
    }
  }
  return {
    held,
    revokedInvitations,
    revokedGatewayKeys: done.gatewayKey,
    revokedProviderKeys: done.providerKey,
    revokedAdminTokens: done.adminToken,
    removedMembers: done.member,
    endedGatewaySecrets: await endSecretsAgain(store, entries, nowMs),
    rotatedGatewayKeys: await namesOfRotated(store, exported),
    revivedSecrets: await findRevivedSecrets(store, lost),
    undone: lost.filter(isUndone).slice(0, MAX_UNDONE).map(toldOf),
  };
}

const MAX_UNDONE = 1000;

/** What is ended or told apart from the rest, what goes on by itself, and what is about the log itself. */
const NOT_UNDONE =
  /^(gatewayKey\.(rotated|rotationWithdrawn|oldSecretsEnded)|providerKey\.rotated|adminToken\.allRevoked|member\.signedOut|(invitation|passwordReset|database|auditLog)\..*|(rotation|provision)\.(advanced|oldSecretEnded|leftoverDeleted)|.*\.clientTokensRevoked)$/;

function isUndone({ action }: ExportedChange): boolean {
  return !(action in END) && !NOT_UNDONE.test(action);
}

function toldOf({ sequence, atMs, actor, action, target }: ExportedChange): HandChange {
  return { sequence, atMs, actor, action, target };
}

const END = {
  "gatewayKey.revoked": ({ gatewayKeys }: AuditedStore, id: never, atMs: number) =>
    gatewayKeys.revoke(id, atMs),
  "providerKey.revoked": ({ providerKeys }: AuditedStore, id: never, atMs: number) =>
    providerKeys.revoke(id, atMs),
  "adminToken.revoked": (store: AuditedStore, id: never, atMs: number) =>
    endAdminToken(store, id, atMs),
  "member.removed": ({ access }: AuditedStore, id: never, atMs: number) =>
    access.members.remove(id, atMs),
} as const;

/** What leaves a key with another secret. */
const ROTATED: ReadonlySet<string> = new Set([
  "gatewayKey.rotated",
  "gatewayKey.rotationWithdrawn",
]);

/**
 * Reads an export as `keyward audit export` writes it (JSON lines, in any order, all or some of the entries). Throws StartError for a line that
 * this installation's log never had: each entry carries a hash under a key that is in the vault. Without `hash`, which a database has to
 * be open for, it is only seen whether they are entries.
 */
export async function readExport(
  lines: AsyncIterable<string>,
  hash: AuditHash | undefined,
): Promise<Ended> {
  const entries: AuditEntry[] = [];
  const rotations = new Map<string, AuditEntry>();
  let number = 0;
  const reader = new ExtentReader();
  const changes: ExportedChange[] = [];
  for await (const line of lines) {
    number += 1;
    if (line === "") continue;
    const entry = parseEntry(line);
    if (entry === undefined || (hash && hash(auditText(entry)) !== entry.hash)) {
      throw new StartError(
        `Line ${number} of the export is no entry of this installation's audit log, or was altered.`,
        "Hand in a file as `keyward audit export` wrote it (JSON lines). Nothing was changed.",
      );
    }
    reader.add(entry);
    changes.push(exportedChangeOf(entry));
    const { action, target, sequence } = entry;
    if (action in END || action === "adminToken.allRevoked" || endsSecret(entry))
      entries.push(entry);
    const last = rotations.get(target.id);
    if (ROTATED.has(action) && (last === undefined || last.sequence < sequence)) {
      rotations.set(target.id, entry);
    }
  }
  const { extent } = reader;
  if (extent === undefined) {
    throw new StartError(
      "The export is empty.",
      "There is an entry in every log: export it once more, and see that the disk isn't full. Nothing was changed.",
    );
  }
  return { entries, rotations, extent, changes };
}

/** The entry that the admin API has made this answer of; undefined for what is none. Its hash tells whether it is the same. */
function parseEntry(line: string): AuditEntry | undefined {
  try {
    const { at, before, after, ...rest } = JSON.parse(line) as Record<string, unknown>;
    const entry = {
      ...rest,
      atMs: Date.parse(String(at)),
      before: textOf(before),
      after: textOf(after),
    } as unknown as AuditEntry;
    const texts: unknown[] = [entry.actor.kind, entry.target.id, entry.action, entry.hash];
    const isEntry =
      texts.every((text) => typeof text === "string") && Number.isSafeInteger(entry.sequence);
    return isEntry ? entry : undefined;
  } catch {
    return undefined;
  }
}

function textOf(fields: unknown): string | null {
  return fields === null ? null : JSON.stringify(fields);
}

/** All tokens that there were then; those that were made afterwards stay. */
async function revokeTokensBefore(
  store: AuditedStore,
  beforeMs: number,
  nowMs: number,
): Promise<number> {
  let revoked = 0;
  for (const { id, createdAtMs } of await listAll((page) => store.adminTokens.list(page))) {
    if (createdAtMs < beforeMs && (await endAdminToken(store, id, nowMs))) revoked += 1;
  }
  return revoked;
}

async function namesOfRotated(
  { gatewayKeys }: AuditedStore,
  exported: Ended | undefined,
): Promise<readonly string[]> {
  const names: string[] = [];
  for (const [id, { after }] of exported?.rotations ?? []) {
    const key = await gatewayKeys.findById(id as never);
    if (key?.revokedAtMs === null && key.preview !== previewOf(after)) names.push(key.name);
  }
  return names;
}
