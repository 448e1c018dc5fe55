import { createReadStream, existsSync } from "node:fs";
import { resolve } from "node:path";
import { createInterface } from "node:readline";
import { CliError } from "../cli-error.ts";
import { defineCommand } from "../command.ts";
import { describeHeld } from "../describe-held.ts";
import { formatCount } from "../format-cells.ts";
import { answerOf, printUndone } from "../print-undone.ts";
import { agree } from "../prompts.ts";
import { warnOfRevived, withNext } from "../revived-secrets.ts";
import { withLocalVault } from "../with-local-vault.ts";

export const catchUp = defineCommand({
  summary: "end what a database lets in again that was put back by other means",
  details:
    "After pg_restore, a copied file or a snapshot of a disk, before the server starts: sessions, invitations, links for new passwords and client tokens end, all of them. With --audit, an export of the audit log from after the backup (`keyward audit export`, JSON lines), what it says was ended ends again: gateway keys, the overlaps of their rotations, provider keys, admin tokens, members; what else was made or changed since is listed, with provider keys that have a replaced secret again. An export with an entry that this installation never wrote is refused, and so is one that lacks entries from after the backup, as far as that can be told (`--partial` takes it all the same); nothing is changed then. To do it twice does no harm. Rotations and provisions that are under way are put on hold, and no provider key is rotated by itself any more: the installation of the backup may be alive. `keyward backup restore` needs none of this.",
  examples: ["keyward backup catch-up", "keyward backup catch-up --audit audit.jsonl --yes --json"],
  reach: "local",
  printsData: true,
  options: {
    audit: { value: "file", description: "an export of the audit log from after the backup" },
    partial: { description: "take an export that lacks entries, too" },
    yes: { description: "do not ask" },
  },
  async run(context) {
    const { io, options, output } = context;
    const file = options.audit === undefined ? undefined : resolve(io.cwd, options.audit);
    if (file !== undefined && !existsSync(file)) {
      throw new CliError(`there is no file ${file}`, {
        advice: "name one that `keyward audit export` wrote",
      });
    }
    const { findLacks } = await import("../../runtime/backup/judge-export.ts");
    const { catchUp: work, readExport } = await import("../../runtime/backup/catch-up.ts");
    // What is no export is told of before anything is asked, or opened.
    if (file !== undefined) await readExport(linesOf(file), undefined);
    const question = "Log everybody out, and end every invitation, link and client token?";
    await agree({ io, isAgreed: options.yes }, question);
    const done = await withLocalVault(context, async ({ vault, nowMs, act }) => {
      const exported =
        file === undefined
          ? undefined
          : await readExport(linesOf(file), await vault.hasher("audit"));
      return await act(async (store) => {
        const lacks = exported === undefined ? [] : await findLacks(exported.extent, store);
        if (lacks.length > 0 && !options.partial) {
          throw new CliError(`the export lacks ${lacks.join("; ")}; nothing was changed`, {
            advice:
              "what those entries say was ended would stay as it was at the backup's time: hand in all of the log (`keyward audit export`), or add --partial to go on with what there is",
          });
        }
        const { revivedSecrets, undone, ...counts } = await work(store, exported, nowMs());
        const revivedProviderKeys = revivedSecrets.map(withNext);
        return { ...counts, revivedProviderKeys, undone: undone.map(answerOf), lacks };
      });
    });
    await output.data(done, () => {
      output.line("sessions, links for new passwords and client tokens: all ended");
      output.line(`open invitations, revoked: ${formatCount(done.revokedInvitations)}`);
      output.line(`gateway keys, revoked again: ${formatCount(done.revokedGatewayKeys)}`);
      output.line(`gateway keys, a secret ended again: ${formatCount(done.endedGatewaySecrets)}`);
      output.line(`provider keys, revoked again: ${formatCount(done.revokedProviderKeys)}`);
      output.line(`admin tokens, revoked again: ${formatCount(done.revokedAdminTokens)}`);
      output.line(`members, removed again: ${formatCount(done.removedMembers)}`);
      describeHeld(done.held, output);
      if (done.rotatedGatewayKeys.length > 0) {
        output.warn(
          `of these gateway keys a secret from before a rotation holds again, and the new one does not: ${done.rotatedGatewayKeys.join(", ")}; rotate them once more with --overlap 0`,
        );
      }
      printUndone(output, done.undone);
      warnOfRevived(output, done.revivedProviderKeys);
      if (done.lacks.length > 0) {
        output.warn(
          `the export lacks ${done.lacks.join("; ")}: what was ended by those holds again`,
        );
      }
      output.note(WHAT_TO_CHECK);
    });
  },
});

/**
 * Made when the first line is asked for: an interface reads from the moment it is made, and who comes to its end afterwards waits
 * for good.
 */
async function* linesOf(file: string): AsyncGenerator<string> {
  try {
    yield* createInterface({ input: createReadStream(file), crlfDelay: Infinity });
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new CliError(`cannot read ${file} (${code})`, { cause });
  }
}

/** What a backup brings back and nothing here can undo. */
export const WHAT_TO_CHECK =
  "all else is as at the backup's time: roles, environments and passwords of members (`keyward members list`), tokens (`keyward admin-tokens list`), restrictions and ends of keys (`keyward keys list`), provider keys (`keyward provider-keys list`), policies (`keyward environments policy`), `keyward budgets list`, `keyward limits list`";
