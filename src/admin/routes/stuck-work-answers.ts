import { z } from "@hono/zod-openapi";
import { formatInstant, instantAnswer } from "../fields/instants.ts";
import type { NameLookup } from "../name-lookup.ts";
import { progressOf, type StuckWork } from "../stuck-work.ts";
import { HELD_DESCRIPTION } from "./held-work.ts";

/** What is beyond it is in `GET /rotations?open=true` and `GET /provisions`. */
const MAX_TOLD = 100;

export const STUCK_DESCRIPTION = `Rotations and provisions that failed and wait for a retry or a cancel, or whose present step has been tried in vain for long, and ended ones of which it cannot be looked up whether the provider made a key after the end; at most ${MAX_TOLD}.`;

export const stuckWorkSchema = z
  .object({
    kind: z.enum(["rotation", "provision"]),
    id: z.string().openapi({ example: "rot_01JZ6Y4V2S8W3N5R7T9X0B1C2D" }),
    key: z
      .string()
      .nullable()
      .openapi({ description: "The provider key's name; of a provision, what it will be." }),
    environment: z.string().nullable(),
    step: z.string().openapi({
      description: "What does not succeed: the state, or `late_look` of one that has ended.",
      example: "pending",
    }),
    hasFailed: z.boolean().openapi({
      description: "Nothing more is tried by itself; false: it goes on being tried.",
    }),
    held: z.boolean().openapi({ description: HELD_DESCRIPTION }),
    problem: z.string().nullable(),
    since: instantAnswer("Since when it is in this state."),
  })
  .openapi("StuckWork");

export async function formatStuckWork(
  { rotations, provisions }: StuckWork,
  names: NameLookup,
): Promise<z.infer<typeof stuckWorkSchema>[]> {
  const told = await Promise.all([
    ...rotations.slice(0, MAX_TOLD).map(async (rotation) => ({
      kind: "rotation" as const,
      key: await names.providerKey(rotation.keyId),
      environment: await names.environment(rotation.environmentId),
      ...formatProgress(rotation),
    })),
    ...provisions.slice(0, MAX_TOLD).map(async (provision) => ({
      kind: "provision" as const,
      key: provision.keyName,
      environment: await names.environment(provision.environmentId),
      ...formatProgress(provision),
    })),
  ]);
  return told.slice(0, MAX_TOLD);
}

function formatProgress(work: Parameters<typeof progressOf>[0]) {
  const { step, hasFailed, isHeld: held, problem, sinceMs } = progressOf(work);
  return { id: work.id, step, hasFailed, held, problem, since: formatInstant(sinceMs) };
}
