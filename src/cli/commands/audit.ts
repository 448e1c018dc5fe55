import type { components } from "../../admin/api-types.ts";
import { expectData } from "../../admin/client.ts";
import {
  type ChainFault,
  type ChainProblem,
  isMarkFault,
  type MarkFault,
} from "../../core/audit/verify-chain.ts";
import { counted } from "../../core/text/counted.ts";
import { CliError } from "../cli-error.ts";
import { defineCommand, type OptionSpec, type CommandContext } from "../command.ts";
import { formatOptional, formatTime } from "../format-cells.ts";
import { given } from "../given.ts";
import { PAGE_OPTIONS, printPage } from "../list-pages.ts";
import { parseChoice } from "../parse-choice.ts";
import { agree } from "../prompts.ts";
import { saveStream } from "../save-stream.ts";
import { RANGE_OPTIONS, rangeOf } from "../usage-options.ts";
import { withLocalVault } from "../with-local-vault.ts";

type Entry = components["schemas"]["AuditEntry"];

const FORMATS = ["jsonl", "csv"] as const;
type Format = (typeof FORMATS)[number];

const FILTER_OPTIONS = {
  ...RANGE_OPTIONS,
  action: {
    value: "action",
    description: "only these: gatewayKey.revoked, or gatewayKey. for all that begin so",
  },
  actor: { value: "name", description: "only what this one did" },
  target: { value: "id", description: "only what was done to this" },
  environment: { value: "name", description: "only what concerns this environment" },
} as const satisfies Record<string, OptionSpec>;

type FilterOptions = { readonly [Name in keyof typeof FILTER_OPTIONS]: string | undefined };

function filterOf(context: Pick<CommandContext<FilterOptions>, "options" | "io">) {
  const { action, actor, target, environment } = context.options;
  return { ...rangeOf(context), ...given({ action, actor, target, environment }) };
}

const list = defineCommand({
  summary: "list what was changed by hand, newest first",
  examples: [
    "keyward audit list",
    "keyward audit list --from 24h --environment production",
    "keyward audit list --action gatewayKey. --actor 'first admin token' --json",
  ],
  reach: "admin",
  printsData: true,
  options: { ...FILTER_OPTIONS, ...PAGE_OPTIONS },
  run: (context) =>
    printPage(context, {
      what: "entries",
      fetch: (client, page) =>
        client.GET("/audit", { params: { query: { ...page, ...filterOf(context) } } }),
      columns: [
        { title: "#", value: ({ sequence }) => String(sequence), isNumber: true },
        { title: "at", value: ({ at }) => formatTime(at) },
        { title: "by", value: ({ actor }) => actor.name },
        { title: "from", value: ({ address }) => formatOptional(address) },
        { title: "action", value: ({ action }) => action },
        { title: "what", value: ({ target }) => target.name ?? target.id },
        { title: "changed", value: describeChange },
      ],
    }),
});

const show = defineCommand({
  summary: "show an entry, with what was before and after",
  examples: ["keyward audit show 17", "keyward audit show 17 --json"],
  reach: "admin",
  printsData: true,
  arguments: { sequence: { description: "its number, as `keyward audit list` shows it" } },
  async run({ admin, arguments: { sequence }, output }) {
    const number = Number(sequence);
    if (!Number.isSafeInteger(number) || number < 1) {
      throw new CliError("SEQUENCE must be a whole number from 1 on", { isUsage: true });
    }
    const client = await admin();
    const entry = expectData(
      await client.GET("/audit/{sequence}", { params: { path: { sequence: number } } }),
    );
    await output.data(entry, () => {
      const { actor, target } = entry;
      output.facts([
        ["at", formatTime(entry.at)],
        ["by", `${actor.name} (${actor.kind}, ${actor.id})`],
        ["from", formatOptional(entry.address)],
        ["request", formatOptional(entry.requestId)],
        ["action", entry.action],
        ["what", `${target.kind} ${target.id}${target.name === null ? "" : ` (${target.name})`}`],
        ["environment", formatOptional(entry.environmentId)],
        ["hash", entry.hash],
      ]);
      output.line();
      for (const name of fieldsOf(entry)) {
        output.line(`${name}: ${valueOf(entry.before, name)} → ${valueOf(entry.after, name)}`);
      }
    });
  },
});

const verify = defineCommand({
  summary: "say whether the log is whole",
  details:
    "Reads every entry and its hash, and compares with what the data directory has seen of the log. Exits 1 when an entry was altered, removed or moved, or the end was cut off. What it prints at the end, kept elsewhere and handed in with --expect the next time, also finds out who puts back the database and the data directory.",
  examples: ["keyward audit verify", "keyward audit verify --expect 17:9f2c… --json"],
  reach: "admin",
  printsData: true,
  options: { expect: { value: "n:hash", description: "an entry as an earlier run printed it" } },
  async run({ admin, options, output }) {
    const client = await admin();
    const query = given({ expect: options.expect });
    const verdict = expectData(await client.GET("/audit/verify", { params: { query } }));
    const { last, problem, mark, setBacks } = verdict;
    await output.data(verdict, () => {
      if (problem !== null) return;
      if (last.sequence === 0) output.line("the audit log is empty");
      else {
        output.line(`whole: ${counted(last.sequence, "entry", "entries")}`);
        for (const { sequence, at, action } of setBacks) {
          output.line(`${SET_BACKS[action]} at entry ${sequence}, ${formatTime(at)}`);
        }
        if (mark === null) {
          output.note(
            "the data directory has seen nothing of it yet, so its end is not compared: the next change or start notes it",
          );
        }
        output.note(`keep this elsewhere: --expect ${last.sequence}:${last.hash}`);
      }
    });
    if (problem === null) return;
    throw describeProblem(problem, last.sequence, setBacks);
  },
});

const accept = defineCommand({
  summary: "take the log as it is, after the database was put back on purpose",
  details:
    "For a database that was restored by other means than `keyward backup restore` (pg_restore, a copied file, a snapshot of a disk): `keyward audit verify` says of it that its end was cut off, as it would of a thief. Writes into the log that it was accepted and what was known of it. On every machine: each has a data directory. Of a log in which entries were altered, removed or moved nothing can be accepted: exits 1, and `verify` goes on saying so.",
  examples: ["keyward audit accept", "keyward audit accept --yes"],
  reach: "local",
  printsData: false,
  options: { yes: { description: "do not ask" } },
  async run(context) {
    const { io, options, output } = context;
    const question = "Go on from the audit log as it is, whatever was seen of it before?";
    await agree({ io, isAgreed: options.yes }, question);
    const { problem, last, isAccepted } = await withLocalVault(context, ({ act }) =>
      act(async (store) => {
        const found = await store.verify();
        if (found.problem === undefined) return { ...found, isAccepted: false };
        await store.acceptLog();
        return { ...(await store.verify()), isAccepted: true };
      }),
    );
    output.line(
      isAccepted
        ? "accepted; the log says so"
        : "there is nothing to accept: the audit log is whole, and what was seen of it; nothing was changed",
    );
    if (problem !== undefined) throw describeProblem(problem, last.sequence);
  },
});

const SET_BACKS = {
  "database.restored": "restored from a backup",
  "auditLog.accepted": "accepted as it was found",
} as const;

function describeProblem(
  { fault, sequence }: ChainProblem,
  wholeUpTo: number,
  setBacks: readonly SetBackAnswer[] = [],
): CliError {
  if (fault === "unexpected") return describeUnexpected(sequence, wholeUpTo, setBacks);
  if (isMarkFault(fault)) {
    const found =
      wholeUpTo === 0
        ? "the audit log is empty"
        : `the audit log has ${counted(wholeUpTo, "entry", "entries")}`;
    return new CliError(`${found}, and ${SEEN[fault](sequence)}`, {
      advice:
        "if you put the database back, or began with another one, say so: `keyward audit accept`; else somebody who can write to the database has done it: compare with a backup or an export, and look through `keyward admin-tokens list` and `keyward members list`",
    });
  }
  return new CliError(`the audit log is broken at entry ${sequence}: ${FAULTS[fault]}`, {
    advice: `all is well up to entry ${wholeUpTo}; compare what comes after it with a backup or an export`,
  });
}

type SetBackAnswer = components["schemas"]["AuditVerdict"]["setBacks"][number];

/** The log is sound, and another one than that of which the entry was kept. */
function describeUnexpected(
  sequence: number,
  wholeUpTo: number,
  setBacks: readonly SetBackAnswer[],
): CliError {
  const found = `the audit log is sound (${counted(wholeUpTo, "entry", "entries")}), and entry ${sequence} as it was kept is not in it`;
  const last = setBacks.at(-1);
  if (last === undefined) {
    return new CliError(
      `${found}: the log was set back to an earlier state, and does not say by whom`,
      {
        advice:
          "compare with a backup or an export; somebody who can write to the database, or has put an older one in its place, has done it",
      },
    );
  }
  const how = `${SET_BACKS[last.action]} at entry ${last.sequence}, ${formatTime(last.at)}`;
  return new CliError(`${found}: the log was set back to an earlier state; it was ${how}`, {
    advice:
      "if the entry was kept before that, this is what is to be expected: keep what `keyward audit verify` prints now; if it was kept afterwards, compare with an export",
  });
}

const SEEN = {
  cut: (sequence: number) =>
    `the data directory has seen entry ${sequence}: the end was cut off, or an older database was put in its place`,
  replaced: (sequence: number) =>
    `entry ${sequence} is not the one that the data directory has seen: the end was cut off, or an older database was put in its place, and others were added`,
  mark_foreign: () =>
    "what the data directory has seen (`audit.mark` in it) is of another database, or was tampered with",
} as const;

const FAULTS = {
  altered: "it is not what was written",
  missing: "it was removed",
  moved: "it belongs elsewhere",
  end_missing: "it and what came after it were removed",
  head_altered: "the note of where the log ends was tampered with",
} as const satisfies Record<Exclude<ChainFault, MarkFault | "unexpected">, string>;

const exportEntries = defineCommand({
  summary: "write every entry that matches to a file",
  details:
    "The file is there when it is whole, and not before. Without --output it goes to standard output.",
  examples: [
    "keyward audit export --output audit.jsonl",
    "keyward audit export --format csv --from 2026-01-01 --to 2026-04-01 --output q1.csv",
  ],
  reach: "admin",
  printsData: false,
  options: {
    format: { value: "format", description: "of the file", choices: FORMATS, default: "jsonl" },
    output: { value: "file", description: "the file to write" },
    ...FILTER_OPTIONS,
  },
  async run(context) {
    const { admin, io, options, output } = context;
    const format = parseChoice(options.format, isFormat, "--format");
    const query = { format, ...filterOf(context) };
    const client = await admin();
    const body = expectData(
      await client.GET("/audit/export", { params: { query }, parseAs: "stream" }),
    );
    const stream = body as unknown as ReadableStream<Uint8Array>;
    const bytes = await saveStream(io, stream, options.output);
    if (options.output !== undefined) output.note(`wrote ${bytes} bytes to ${options.output}`);
  },
});

export const audit = { list, show, verify, accept, export: exportEntries };

function isFormat(word: string): word is Format {
  return (FORMATS as readonly string[]).includes(word);
}

/** The names of the fields, those of an update alone. */
function describeChange(entry: Entry): string {
  if (entry.before === null || entry.after === null) return "";
  return fieldsOf(entry).join(", ");
}

function fieldsOf({ before, after }: Entry): readonly string[] {
  return [...new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})])];
}

function valueOf(fields: Entry["before"], name: string): string {
  const value = fields?.[name];
  if (value === undefined || value === null) return "–";
  return typeof value === "string" ? value : JSON.stringify(value);
}
