/** The audit log: what was changed by hand, by whom, chained by keyed hashes so that a change of it shows. */
import type { Principal } from "../access/principal.ts";
import type { EnvironmentId } from "../ids/ids.ts";

export const ACTOR_KINDS = [
  "member",
  "token",
  "system",
] as const satisfies readonly Principal["kind"][];
export type ActorKind = (typeof ACTOR_KINDS)[number];

export type Actor = Pick<Principal, "kind" | "id" | "name">;

/** On whose behalf something is done, and where the request came from. */
export interface Act {
  readonly actor: Actor;
  /** The IP address; null where no request crossed a network. */
  readonly address: string | null;
  readonly requestId: string | null;
}

interface AuditTarget {
  /** `gatewayKey`, `budget`: what kind of thing was changed. */
  readonly kind: string;
  readonly id: string;
  readonly name: string | null;
}

/** What was done to what. */
export interface AuditDraft {
  /** `gatewayKey.revoked`: the kind of the target and what was done. */
  readonly action: string;
  readonly target: AuditTarget;
  /** Null where it concerns all of them, or none. */
  readonly environmentId: EnvironmentId | null;
  /** JSON objects of what changed; null where there was nothing before, or is nothing after. No secrets. */
  readonly before: string | null;
  readonly after: string | null;
}

/** An entry before it has its place in the chain. */
export interface UnchainedEntry extends AuditDraft, Act {
  readonly atMs: number;
}

export interface AuditEntry extends UnchainedEntry {
  /** From 1 on, without a gap. */
  readonly sequence: number;
  /** Of the entry before; empty for the first. */
  readonly previousHash: string;
  /** Of `auditText`, 64 hex digits. */
  readonly hash: string;
}

/** The end of the chain, tagged so that a shorter one can't be passed off as whole. */
export interface AuditHead {
  readonly sequence: number;
  readonly hash: string;
  readonly tag: string;
}

/** HMAC-SHA-256 in hex, under a key that is not in the database. */
export type AuditHash = (text: string) => string;

/** What an entry's hash is of: every field, in one unambiguous text (a JSON array). */
export function auditText(entry: Omit<AuditEntry, "hash">): string {
  const { actor, target } = entry;
  return JSON.stringify([
    "entry",
    entry.sequence,
    entry.previousHash,
    entry.atMs,
    [actor.kind, actor.id, actor.name],
    entry.address,
    entry.requestId,
    entry.action,
    [target.kind, target.id, target.name],
    entry.environmentId,
    entry.before,
    entry.after,
  ]);
}

export function headText({ sequence, hash }: Omit<AuditHead, "tag">): string {
  return JSON.stringify(["head", sequence, hash]);
}

/** The entry in its place after `head`, and the head that it makes. Undefined head: it is the first one. */
export function chainEntry(
  unchained: UnchainedEntry,
  head: Pick<AuditHead, "sequence" | "hash"> | undefined,
  hash: AuditHash,
): { readonly entry: AuditEntry; readonly head: AuditHead } {
  const sequence = (head?.sequence ?? 0) + 1;
  const placed = { ...unchained, sequence, previousHash: head?.hash ?? "" };
  const entry = { ...placed, hash: hash(auditText(placed)) };
  const end = { sequence, hash: entry.hash };
  return { entry, head: { ...end, tag: hash(headText(end)) } };
}
