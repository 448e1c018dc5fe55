import { z } from "@hono/zod-openapi";
import { LEAK_OUTCOMES, LEAKED_KINDS } from "../../core/leaks/leak.ts";
import type { LeakRecord } from "../../store/exposure-repositories.ts";
import { formatInstant, formatOptionalInstant, instantAnswer } from "../fields/instants.ts";
import { LEAK_STANDINGS, type LeakStanding } from "../leak-standing.ts";
import type { NameLookup } from "../name-lookup.ts";

export const leakSchema = z
  .object({
    id: z.string().openapi({ example: "lek_01JZ6Y4V2S8W3N5R7T9X0B1C2D" }),
    kind: z.enum(LEAKED_KINDS),
    subjectId: z
      .string()
      .openapi({ description: "Of the key, token, session or link.", example: "key_…" }),
    name: z.string().openapi({
      description:
        "Its name when it was reported; of a client token, its customer; of a session or a link for a new password, its member's address; of an invitation, the address that was invited, or where there was none, its role.",
    }),
    preview: z.string().nullable(),
    environmentId: z.string().nullable(),
    environment: z.string().nullable(),
    outcome: z.enum(LEAK_OUTCOMES).openapi({
      description:
        "What was done when it was reported. `revoked`: it is refused since. `old_secret_ended`: the secret from before its last rotation is. `old_secret_valid`: it is a provider's secret from before the key's last rotation, to be deleted there. `still_valid`: you were told, and have to act. `noted`: nobody was told.",
    }),
    place: z.string().nullable().openapi({ description: "Where it was found, by the report." }),
    source: z.string().nullable(),
    address: z.string().nullable().openapi({ description: "Where the report came from." }),
    reportedAt: instantAnswer("When it was reported first."),
    standing: z.enum(LEAK_STANDINGS).openapi({
      description:
        "What it is now. `valid`: whoever found it can use it. `unknown`: Keyward uses it no more, and its provider may still take it, or the settings had it. `ended`: it is refused.",
    }),
    endedAt: instantAnswer("With `ended`: since when; null where that was not kept.").nullable(),
    isOldSecret: z.boolean().openapi({
      description:
        "Its key has another secret by now: delete this one where it is still taken, and leave the key alone.",
    }),
    replacedBy: z
      .object({
        rotationId: z.string(),
        hasEnded: z.boolean().openapi({
          description: "Else it still goes on, and may have the old secret wait for its grace.",
        }),
      })
      .nullable()
      .openapi({
        description:
          "Of an old secret of a provider key: the rotation that replaced it; null where none is known.",
      }),
  })
  .openapi("Leak");

export async function formatLeak(
  names: NameLookup,
  record: LeakRecord,
  { standing, endedAtMs, isOldSecret, replacedBy }: LeakStanding,
): Promise<z.input<typeof leakSchema>> {
  const { id, kind, subjectId, name, preview, environmentId, outcome } = record;
  const { place, source, address, createdAtMs } = record;
  const environment = environmentId === null ? null : await names.environment(environmentId);
  const reportedAt = formatInstant(createdAtMs);
  const subject = { id, kind, subjectId, name, preview, environmentId, environment };
  const now = { standing, endedAt: formatOptionalInstant(endedAtMs), isOldSecret };
  const rotation = replacedBy && { rotationId: replacedBy.id, hasEnded: replacedBy.hasEnded };
  return {
    ...subject,
    outcome,
    place,
    source,
    address,
    reportedAt,
    ...now,
    replacedBy: rotation,
  };
}
