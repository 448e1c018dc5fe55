/**
 * A backup takes the database's place. All that can fail is done on a copy beside it first; then the files change places
 * while no server can start. What was there is kept under another name.
 */
import { randomBytes, randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { chmod, constants, copyFile, link, mkdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Config } from "../../config/config-schema.ts";
import type { AuditMark } from "../../core/audit/audit-mark.ts";
import { IdFactory } from "../../core/ids/ids.ts";
import { syncDirectory } from "../../files/sync-directory.ts";
import { listJournals, whileNobodyRuns } from "../../ledger/file/journal-folder.ts";
import {
  type HandChange,
  readActionsSince,
  readChangesSince,
} from "../../store/sqlite/access-state.ts";
import {
  type DatabaseFacts,
  DatabaseFileError,
  examineDatabase,
  makeOneFile,
} from "../../store/sqlite/database-file.ts";
import { SqliteStore } from "../../store/sqlite/sqlite-store.ts";
import { AuditMarkFile } from "../audit-mark-file.ts";
import {
  DATABASE_FILE,
  databasePath,
  JOURNAL_FOLDER,
  prepareDataDirectory,
} from "../data-directory.ts";
import { BY_LOCAL, openAudit } from "../open-audit.ts";
import { openVault } from "../open-vault.ts";
import { StartError } from "../start-error.ts";
import { carryOverAccess, type RestoredAccess } from "./carry-over-access.ts";
import { holdOpenWork, type HeldWork } from "./hold-open-work.ts";
import { findRevivedSecrets, type RevivedSecret, SECRET_ACTIONS } from "./revived-secrets.ts";

export interface Restored extends RestoredAccess {
  readonly facts: DatabaseFacts;
  /** What would have gone on at providers by itself. */
  readonly held: HeldWork;
  /** Where the database is that was there before; undefined when there was none. */
  readonly replaced: string | undefined;
  /** Journals that the next start takes in. */
  readonly journals: number;
  /**
   * What was changed or made by hand since the backup, and is as it was before that now, or gone, newest first: less what was taken over.
   * Undefined when no replaced database tells it.
   */
  readonly undone: readonly HandChange[] | undefined;
  /** Of provider keys that were rotated since. Undefined as above. */
  readonly revivedSecrets: readonly RevivedSecret[] | undefined;
}

export interface RestoreOptions {
  readonly config: Pick<Config, "dataDir" | "rootKey">;
  readonly backup: string;
  readonly nowMs: () => number;
}

/** Throws StartError, and has changed nothing then. */
export async function restoreBackup(options: RestoreOptions): Promise<Restored> {
  const { config, backup, nowMs } = options;
  const { dataDir } = config;
  const facts = examineBackup(backup);
  await prepareDataDirectory(dataDir);
  const journalFolder = join(dataDir, JOURNAL_FOLDER);
  await mkdir(journalFolder, { recursive: true, mode: 0o700 });
  // Early, and once more below: a copy of a large file takes its time.
  await refuseWhileServing(journalFolder, async () => undefined);
  const database = databasePath(config);
  const staged = join(dataDir, `.${DATABASE_FILE}.${randomUUID()}.restoring`);
  try {
    await copyFile(backup, staged, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
    // Of whatever mode the backup is.
    await chmod(staged, 0o600);
    const markPlace = new AuditMarkFile(dataDir, rethrow);
    const { access, held, revivedSecrets, mark } = await prepare(staged, database, {
      ...options,
      facts,
      known: await markPlace.read(),
    });
    const replaced = existsSync(database) ? replacedName(database, nowMs()) : undefined;
    const undone = replaced === undefined ? undefined : readUndone(database, facts);
    await refuseWhileServing(journalFolder, () => putInPlace(staged, database, replaced));
    // The log says that it was restored. Should this not come to be, `keyward audit accept` does it.
    if (mark !== undefined) await markPlace.write(mark);
    const journals = (await listJournals(journalFolder)).length;
    return { facts, held, replaced, ...access, journals, undone, revivedSecrets };
  } finally {
    for (const suffix of ["", "-wal", "-shm"]) await rm(`${staged}${suffix}`, { force: true });
  }
}

/** What is in the backup. Throws StartError when it is damaged, or none. */
export function examineBackup(path: string): DatabaseFacts {
  if (!existsSync(path)) {
    throw new StartError(
      `There is no file ${path}.`,
      "Name a file that `keyward backup create` made.",
    );
  }
  try {
    return examineDatabase(path);
  } catch (err) {
    if (!(err instanceof DatabaseFileError)) throw err;
    throw new StartError(
      `The file ${path} ${err.message}.`,
      "Take another copy; `keyward backup check` says of a file whether it is whole.",
      { cause: err },
    );
  }
}

function readUndone(database: string, { auditHead }: DatabaseFacts) {
  const changes = auditHead && readChangesSince(database, auditHead);
  return changes?.filter(({ action }) => !TAKEN_OVER.test(action));
}

/** What `carryOverAccess` takes over or ends for all, what goes on by itself, and what is about the log itself. */
const TAKEN_OVER =
  /^(gatewayKey\.(revoked|rotated|rotationWithdrawn|oldSecretsEnded)|(providerKey|adminToken)\.revoked|member\.(removed|passwordSet|signedOut)|(invitation|passwordReset|database|auditLog)\..*|(rotation|provision)\.(advanced|oldSecretEnded|leftoverDeleted)|.*\.clientTokensRevoked)$/;

interface Found {
  readonly facts: DatabaseFacts;
  readonly known: AuditMark | undefined;
}

interface Prepared extends Pick<Restored, "held" | "revivedSecrets"> {
  readonly access: RestoredAccess;
  readonly mark: AuditMark | undefined;
}

/** The copy becomes what shall be in place: of this version's schema, under the root key at hand, and told of in its audit log. */
async function prepare(
  staged: string,
  database: string,
  { config, backup, nowMs, facts, known }: RestoreOptions & Found,
): Promise<Prepared> {
  let mark: AuditMark | undefined;
  const store = new SqliteStore({ path: staged, isInline: true });
  try {
    await refuseNewer(store);
    const ids = new IdFactory({ nowMs, randomBytes });
    const vault = await openVault({ config, store, ids });
    const audited = await openAudit({
      store,
      vault,
      nowMs,
      // Not in the data directory yet: what is there is about the database that is still in place.
      markPlace: {
        read: () => Promise.resolve(undefined),
        write: (made) => {
          mark = made;
          return Promise.resolve();
        },
        onFault: rethrow,
      },
    });
    const changes =
      facts.auditHead && existsSync(database)
        ? readActionsSince(database, facts.auditHead, [...SECRET_ACTIONS])
        : undefined;
    const { access, held } = await audited.as(BY_LOCAL, async () => {
      const replaced = existsSync(database) ? database : undefined;
      const carried = await carryOverAccess(replaced, audited, nowMs());
      const onHold = await holdOpenWork(audited, nowMs());
      await audited.note({
        action: "database.restored",
        target: { kind: "database", id: DATABASE_FILE, name: null },
        environmentId: null,
        before: JSON.stringify({ seenUpTo: known?.sequence ?? null, hash: known?.hash ?? null }),
        after: JSON.stringify({ backup }),
      });
      return { access: carried, held: onHold };
    });
    // After the revoked ones were revoked.
    const revivedSecrets = changes && (await findRevivedSecrets(audited, changes));
    return { access, held, revivedSecrets, mark };
  } finally {
    await store.close();
    if (existsSync(staged)) makeOneFile(staged);
  }
}

function rethrow(error: unknown): never {
  throw error;
}

async function refuseNewer(store: SqliteStore): Promise<void> {
  const found = await store.currentSchema();
  if (found <= store.supportedSchema) return;
  throw new StartError(
    `The backup is at schema ${found}; this Keyward knows schema ${store.supportedSchema} and older.`,
    "Restore it with the Keyward that made it, or a newer one.",
  );
}

async function refuseWhileServing<Result>(
  journalFolder: string,
  work: () => Promise<Result>,
): Promise<Result> {
  const outcome = await whileNobodyRuns(journalFolder, work);
  if (outcome !== "running") return outcome.result;
  throw new StartError("Keyward runs on this data directory.", "Stop it, then restore.");
}

/**
 * At every moment there is a database under its name. The old one gets its second name first, with all that is in its
 * write-ahead log; the new one then takes the first name over in one step.
 */
async function putInPlace(
  staged: string,
  database: string,
  replaced: string | undefined,
): Promise<void> {
  if (replaced !== undefined) {
    takeInLog(database);
    await link(database, replaced);
    // Those of a database that can't be opened; beside another one they would destroy it.
    for (const suffix of ["-wal", "-shm"]) {
      if (existsSync(`${database}${suffix}`)) {
        await rename(`${database}${suffix}`, `${replaced}${suffix}`);
      }
    }
  }
  await rename(staged, database);
  await syncDirectory(join(database, ".."));
}

function takeInLog(database: string): void {
  try {
    makeOneFile(database);
  } catch (err) {
    if (isDamaged(err)) return;
    throw new StartError(
      `The database ${database} is in use by another program.`,
      "End what uses it (a keyward command, an SQLite shell), then restore.",
      { cause: err },
    );
  }
}

/** SQLITE_CORRUPT, SQLITE_NOTADB. */
function isDamaged(err: unknown): boolean {
  return err instanceof Error && "errcode" in err && [11, 26].includes(Number(err.errcode) & 0xff);
}

function replacedName(database: string, nowMs: number): string {
  const time = new Date(nowMs).toISOString().replaceAll(/[-:]|\.\d+/g, "");
  return `${database}.replaced-${time}`;
}
