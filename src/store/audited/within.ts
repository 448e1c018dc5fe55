import type { AuditDraft } from "../../core/audit/audit-entry.ts";
import type { EnvironmentId } from "../../core/ids/ids.ts";
import type { Repositories } from "../store.ts";
import { auditedDifference, auditedText } from "./audited-fields.ts";

/** Adds an entry to the audit log, in the transaction of the change that it tells of. */
export type WriteEntry = (draft: AuditDraft) => Promise<void>;

/** Runs a change and what is written of it, all or nothing. */
export type Within = <Result>(
  change: (repositories: Repositories, write: WriteEntry) => Promise<Result>,
) => Promise<Result>;

type Reading = `${"find" | "list" | "count" | "current" | "last"}${string}`;

/**
 * What a repository changes, each to be written about. A method that is added to it and does not read by its name is one
 * more that is missing here, unless it is among `Silent`: changes that nobody makes by hand.
 */
export type ActsOf<Repository, Silent extends keyof Repository = never> = {
  readonly [
    Name in Exclude<keyof Repository, Silent> as Name extends Reading ? never : Name
  ]: Repository[Name];
};

/** The repository with its changes written about. */
export function withActs<Repository extends object>(
  repository: Repository,
  acts: Partial<Repository>,
): Repository {
  return new Proxy(repository, {
    get(target, name) {
      const act: unknown = Reflect.get(acts, name);
      if (act !== undefined) return act;
      const own: unknown = Reflect.get(target, name, target);
      // Methods reach for private fields, which the proxy has none of.
      return typeof own === "function" ? (own.bind(target) as unknown) : own;
    },
  });
}

interface Named {
  readonly id: string;
  readonly name?: string | null;
  /** A person's, who may have given no name. */
  readonly email?: string | null;
  readonly environmentId?: EnvironmentId;
}

/** What is written when something is there that was not, and the other way round. */
export function created(kind: string, record: Named): AuditDraft {
  return { ...about(kind, "created", record), before: null, after: auditedText(hide(record)) };
}

function removed(kind: string, record: Named): AuditDraft {
  return { ...about(kind, "removed", record), before: auditedText(hide(record)), after: null };
}

/** Writes what differs between two states; nothing when nothing does. */
export async function writeChange(
  { kind, verb = "updated", write }: UpdateAct,
  { before, after }: { readonly before: Named; readonly after: Named },
): Promise<void> {
  const difference = auditedDifference(hide(before), hide(after));
  if (difference !== undefined) await write({ ...about(kind, verb, after), ...difference });
}

interface UpdateAct {
  readonly kind: string;
  readonly verb?: string;
  readonly write: WriteEntry;
}

/** The part of a draft that says what was done to what. */
export function about(
  kind: string,
  verb: string,
  { id, name, email, environmentId }: Named,
): Omit<AuditDraft, "before" | "after"> {
  return {
    action: `${kind}.${verb}`,
    target: { kind, id, name: name ?? email ?? null },
    environmentId: environmentId ?? null,
  };
}

/** Of no use to who reads the log, and of some to who should not. */
const HIDDEN: ReadonlySet<string> = new Set(["hash", "passwordHash", "fingerprint", "sealed"]);

function hide(record: object): object {
  return Object.fromEntries(Object.entries(record).filter(([name]) => !HIDDEN.has(name)));
}

/**
 * An update of one record: reads it, changes it, reads it again, and writes what differs. False, and nothing written, when
 * the change says that there was nothing to change.
 */
export async function update<Record extends Named>(
  act: UpdateAct,
  find: () => Promise<Record | undefined>,
  change: () => Promise<boolean>,
): Promise<boolean> {
  const before = await find();
  const isChanged = await change();
  const after = await find();
  if (!isChanged || before === undefined || after === undefined) return isChanged;
  await writeChange(act, { before, after });
  return true;
}

/** The same for one that is then no more. */
export async function removal<Record extends Named>(
  act: { readonly kind: string; readonly write: WriteEntry },
  find: () => Promise<Record | undefined>,
  remove: () => Promise<boolean>,
): Promise<boolean> {
  const before = await find();
  const isRemoved = await remove();
  if (isRemoved && before !== undefined) await act.write(removed(act.kind, before));
  return isRemoved;
}
