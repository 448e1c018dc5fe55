import { resolve } from "node:path";
import type { Config } from "../../config/config-schema.ts";
import { StartError } from "../../runtime/start-error.ts";
import type { DatabaseFacts } from "../../store/sqlite/database-file.ts";
import { CliError } from "../cli-error.ts";
import type { CliIo } from "../cli-io.ts";
import { type CommandContext, defineCommand } from "../command.ts";
import { describeHeld } from "../describe-held.ts";
import { formatCount, formatTime } from "../format-cells.ts";
import { answerOf, printUndone } from "../print-undone.ts";
import { agree } from "../prompts.ts";
import { warnOfRevived, withNext } from "../revived-secrets.ts";
import { withLocalVault } from "../with-local-vault.ts";
import { catchUp, WHAT_TO_CHECK } from "./backup-catch-up.ts";

const create = defineCommand({
  summary: "copy the database into a file, while the server runs",
  details:
    "The copy is of one moment, and is read through before it takes its name. It holds no root key: keep that apart from it. For the database in the data directory; Postgres has pg_dump.",
  examples: [
    "keyward backup create keyward-2026-11-26.db",
    "keyward backup create /mnt/backups/keyward.db --json",
  ],
  reach: "local",
  printsData: true,
  arguments: { file: { description: "the file to make" } },
  async run(context) {
    const {
      arguments: { file },
      config,
      io,
      output,
    } = context;
    const settings = await config();
    refusePostgres(
      settings,
      "pg_dump --format=custom --file=keyward.dump, with the URL's host, user and database",
    );
    const { openLocalStore } = await import("../../runtime/local-store.ts");
    // Says it where there is no installation.
    await (await openLocalStore(settings)).close();
    const { createBackup } = await import("../../runtime/backup/create-backup.ts");
    const { databasePath } = await import("../../runtime/data-directory.ts");
    const target = resolve(io.cwd, file);
    const progress = showProgress(io);
    const made = await createBackup(databasePath(settings), target, progress.at).finally(
      progress.end,
    );
    await noteBackup(context, target);
    const answer = { file: target, bytes: made.bytes, ...toJson(made.facts) };
    await output.data(answer, () => {
      output.line(`wrote ${target}, ${(made.bytes / 1e6).toFixed(1)} MB`);
      output.facts(factsOf(made.facts));
      output.note(
        "it can be restored with that root key alone: keep a copy of it, in another place",
      );
    });
  },
});

const check = defineCommand({
  summary: "say whether a backup is whole, and what is in it",
  details: "Reads all of the file and changes nothing.",
  examples: ["keyward backup check keyward-2026-11-26.db"],
  reach: "none",
  printsData: true,
  arguments: { file: { description: "a file that `keyward backup create` made" } },
  async run({ arguments: { file }, io, output }) {
    const { examineBackup } = await import("../../runtime/backup/restore-backup.ts");
    const facts = examineBackup(resolve(io.cwd, file));
    await output.data(toJson(facts), () => {
      output.line("whole");
      output.facts(factsOf(facts));
    });
  },
});

const restore = defineCommand({
  summary: "put a backup in the database's place",
  details:
    "The server must be stopped. What was there is kept beside it, under another name. Keys, tokens and members that were revoked, rotated or removed since the backup stay so, where the database that is replaced can still be read. Rotations and provisions of provider keys that were under way are put on hold, and none begins by itself: the installation of the backup may be alive. Calls in the journal that the backup does not know of are taken in by the next start.",
  examples: [
    "keyward backup restore keyward-2026-11-26.db",
    "keyward backup restore keyward-2026-11-26.db --data-dir /var/lib/keyward --yes",
  ],
  reach: "local",
  printsData: true,
  arguments: { file: { description: "a file that `keyward backup create` made" } },
  options: { yes: { description: "do not ask" } },
  async run({ arguments: { file }, options, config, io, output }) {
    const settings = await config();
    refusePostgres(
      settings,
      "pg_restore into an empty database, then `keyward backup catch-up` with the same root key, then start Keyward",
    );
    const { examineBackup, restoreBackup } = await import("../../runtime/backup/restore-backup.ts");
    const backup = resolve(io.cwd, file);
    const { lastEventAtMs } = examineBackup(backup);
    const age =
      lastEventAtMs === undefined
        ? "without a call in it"
        : `whose last call was at ${formatTime(timeOf(lastEventAtMs))}`;
    const question = `Replace the database in ${settings.dataDir} by this backup, ${age}?`;
    await agree({ io, isAgreed: options.yes }, question);
    const nowMs = (): number => io.nowMs();
    const restored = await restoreBackup({ config: settings, backup, nowMs });
    const { facts, held, replaced = null, carried = null, journals, revokedInvitations } = restored;
    const undone = restored.undone?.map(answerOf) ?? null;
    const revivedProviderKeys = restored.revivedSecrets?.map(withNext) ?? null;
    const told = { replaced, carried, revokedInvitations, journals, undone, revivedProviderKeys };
    const answer = { ...toJson(facts), held, ...told };
    await output.data(answer, () => {
      output.line(`restored from ${backup}`);
      output.facts([
        ...factsOf(facts),
        ["kept", replaced ?? "nothing: there was no database"],
        [
          "journals",
          journals === 0 ? "none" : `${formatCount(journals)}, taken in by the next start`,
        ],
      ]);
      if (carried !== null) {
        for (const [kind, count] of Object.entries(carried)) {
          if (count > 0)
            output.line(`${CARRIED[kind as keyof typeof carried]}: ${formatCount(count)}`);
        }
      } else {
        output.note(
          "there is no database that tells what came after the backup: whatever was revoked or rotated since the backup holds again; look through `keyward keys list`",
        );
      }
      if (revokedInvitations > 0) {
        output.line(`open invitations, revoked: ${formatCount(revokedInvitations)}`);
      }
      describeHeld(held, output);
      printUndone(output, undone ?? []);
      warnOfRevived(output, revivedProviderKeys ?? []);
      output.note("everybody logs in again");
      output.note(WHAT_TO_CHECK);
      output.note("next: keyward start");
    });
  },
});

export const backup = { create, check, restore, "catch-up": catchUp };

/** The backup is made: where the root key isn't at hand it is one all the same. */
async function noteBackup(
  context: Pick<CommandContext, "config" | "io" | "output">,
  target: string,
): Promise<void> {
  try {
    await withLocalVault(context, ({ act }) =>
      act((store) =>
        store.note({
          action: "database.backedUp",
          target: { kind: "database", id: "keyward.db", name: null },
          environmentId: null,
          before: null,
          after: JSON.stringify({ backup: target }),
        }),
      ),
    );
  } catch (err) {
    if (!(err instanceof StartError)) throw err;
    context.output.warn(`the audit log does not tell of this backup: ${err.message}`);
  }
}

const CARRIED = {
  revokedGatewayKeys: "gateway keys that stay revoked",
  rotatedGatewayKeys: "gateway keys that keep the secret of a later rotation",
  revokedProviderKeys: "provider keys that stay revoked",
  revokedAdminTokens: "admin tokens that stay revoked",
  removedMembers: "members who stay removed",
  earlierKeyEnds: "gateway keys that keep an earlier end",
  keptPasswords: "members who keep a newer password",
  loweredRoles: "members who keep a role or environments that allow less",
} as const;

function refusePostgres({ databaseUrl }: Pick<Config, "databaseUrl">, advice: string): void {
  if (databaseUrl === null) return;
  throw new CliError("the database is in Postgres, which has tools of its own for this", {
    advice,
  });
}

function toJson({ lastEventAtMs, rootKey, auditHead, ...facts }: DatabaseFacts) {
  const lastEventAt = lastEventAtMs === undefined ? null : timeOf(lastEventAtMs);
  return { ...facts, lastEventAt, rootKey: rootKey ?? null, auditHead: auditHead ?? null };
}

function factsOf({ schema, rootKey, usageEvents, lastEventAtMs, auditHead }: DatabaseFacts) {
  const facts: (readonly [string, string])[] = [
    ["schema", String(schema)],
    [
      "root key",
      rootKey === undefined ? "none yet" : `${rootKey.id} (fingerprint ${rootKey.fingerprint})`,
    ],
    ["calls", formatCount(usageEvents)],
    ["last call", lastEventAtMs === undefined ? "–" : formatTime(timeOf(lastEventAtMs))],
    [
      "audit log",
      auditHead === undefined ? "empty" : `ends with ${auditHead.sequence}:${auditHead.hash}`,
    ],
  ];
  return facts;
}

function timeOf(ms: number): string {
  return new Date(ms).toISOString();
}

/** A line that is written over, on a terminal. Control-C ends the work with the next step. */
function showProgress(io: Pick<CliIo, "stderr" | "isInteractive" | "stopped">) {
  const { stopped } = io;
  return {
    at: (part: number): void => {
      if (stopped.aborted) throw new CliError("stopped; nothing was written");
      if (io.isInteractive) io.stderr.write(`\r${Math.floor(part * 100)} %`);
    },
    end: (): void => {
      if (io.isInteractive) io.stderr.write("\r\u001b[K");
    },
  };
}
