import { z } from "@hono/zod-openapi";
import { ACTOR_KINDS, type AuditEntry } from "../../core/audit/audit-entry.ts";
import { CHAIN_FAULTS } from "../../core/audit/verify-chain.ts";
import { type AuditVerdict, SET_BACK_ACTIONS } from "../../store/audited-store.ts";
import { formatInstant, instantAnswer } from "../fields/instants.ts";

const fieldsAnswer = (description: string) =>
  z
    .record(z.string(), z.unknown())
    .nullable()
    .openapi({ description, example: { limitUsd: "25" } });

export const entrySchema = z
  .object({
    sequence: z.int().openapi({ description: "Its place in the chain, from 1 on.", example: 17 }),
    at: instantAnswer("When it was done."),
    actor: z.object({
      kind: z.enum(ACTOR_KINDS).openapi({
        description: "`system`: Keyward itself, or whoever has its data directory (`local`).",
        example: "token",
      }),
      id: z.string().openapi({ example: "adm_01JZ6Y4V2S8W3N5R7T9X0B1C2D" }),
      name: z.string().openapi({ example: "first admin token" }),
    }),
    address: z.string().nullable().openapi({
      description: "The IP address that the request came from; null where none crossed a network.",
      example: "127.0.0.1",
    }),
    requestId: z.string().nullable(),
    action: z.string().openapi({ example: "budget.updated" }),
    target: z.object({
      kind: z.string().openapi({ example: "budget" }),
      id: z.string().openapi({ example: "bud_01JZ6Y4V2S8W3N5R7T9X0B1C2D" }),
      name: z.string().nullable(),
    }),
    environmentId: z.string().nullable(),
    before: fieldsAnswer("What it was, of an update what has changed; null: it was not there."),
    after: fieldsAnswer("What it is; null: it is no more."),
    previousHash: z
      .string()
      .openapi({ description: "Of the entry before; empty: it is the first." }),
    hash: z.string().openapi({
      description: "HMAC-SHA-256 of all of it, under a key that is sealed in the vault.",
    }),
  })
  .openapi("AuditEntry");

export type AuditEntryAnswer = z.infer<typeof entrySchema>;

export const auditProblemSchema = z
  .object({
    fault: z.enum(CHAIN_FAULTS).openapi({
      description:
        "`altered`: it is not what was written; `missing`: there is none where one must be; `moved`: it belongs elsewhere in the chain; `end_missing`: the last ones are gone; `head_altered`: the note of where the chain ends was tampered with; `unexpected`: the chain is sound and does not lead through the entry that `expect` names: the log was set back to an earlier state (`setBacks` says where, if on purpose); `cut`: the log ends before an entry that the server's data directory has seen, `replaced`: another is in its place: the end was cut off, or an older database put in its place; `mark_foreign`: what the data directory has seen is of another database, or was tampered with.",
    }),
    sequence: z.int().openapi({ description: "Where it shows first." }),
  })
  .openapi("AuditProblem", {
    description:
      "What is wrong with the audit log. `GET /audit/verify` reads all of it; `GET /status` says what is known without that: that the log is not as long as this data directory has seen it, and what the server has found, which reads it over and over a little at a time.",
  });

export const verdictSchema = z
  .object({
    isWhole: z.boolean().openapi({ description: "Whether nothing was altered, removed or moved." }),
    last: z.object({
      sequence: z.int().openapi({ description: "Up to here all is well; 0: there are none." }),
      hash: z.string().openapi({
        description:
          "Keep both elsewhere and hand them in next time: who replaces the whole database with an older one is found out, too.",
      }),
    }),
    problem: auditProblemSchema.nullable(),
    mark: z.object({ sequence: z.int(), hash: z.string() }).nullable().openapi({
      description:
        "The newest entry that the server's data directory has seen; null: it has seen none.",
    }),
    setBacks: z
      .array(
        z.object({
          sequence: z.int(),
          at: instantAnswer("When."),
          action: z.enum(SET_BACK_ACTIONS),
        }),
      )
      .openapi({
        description:
          "Where the log was set back on purpose, oldest first, the newest twenty: by `keyward backup restore` or by `keyward audit accept`.",
      }),
  })
  .openapi("AuditVerdict");

export function formatVerdict(verdict: AuditVerdict): z.input<typeof verdictSchema> {
  const { last, problem = null, mark = null, setBacks } = verdict;
  return {
    isWhole: problem === null,
    last,
    problem,
    mark,
    setBacks: setBacks.map(({ atMs, ...rest }) => ({ ...rest, at: formatInstant(atMs) })),
  };
}

export function formatEntry(entry: AuditEntry): AuditEntryAnswer {
  const { atMs, before, after, ...rest } = entry;
  return {
    ...rest,
    at: formatInstant(atMs),
    before: parseFields(before),
    after: parseFields(after),
  };
}

/** What somebody has tampered with may be no JSON any more, and is shown all the same. */
function parseFields(text: string | null): Record<string, unknown> | null {
  if (text === null) return null;
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) {
      return value as Record<string, unknown>;
    }
  } catch {
    // Shown as it is, below.
  }
  return { unreadable: text };
}
