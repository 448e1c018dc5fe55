import { z } from "@hono/zod-openapi";
import type { RotationRecord } from "../../store/rotation-records.ts";
import { formatInstant, instantAnswer } from "../fields/instants.ts";
import { keysPageOf, type RotationReading } from "./rotation-answers.ts";

const MAX_TOLD = 100;

export const STOLEN_DESCRIPTION = `Secrets that were rotated because they are in wrong hands, and that their provider may still take: to be deleted there; at most ${MAX_TOLD}.`;

export const stolenSecretSchema = z
  .object({
    rotationId: z.string().openapi({ example: "rot_01JZ6Y4V2S8W3N5R7T9X0B1C2D" }),
    keyId: z.string(),
    key: z.string().nullable().openapi({ description: "The provider key's name." }),
    environment: z.string().nullable(),
    account: z.string().nullable(),
    preview: z.string().openapi({ example: "sk-svcacct-…9fQa" }),
    oldSecret: z.enum(["valid", "unknown"]).openapi({
      description: "`valid`: the provider took it when it was last tried.",
    }),
    since: instantAnswer("When its key got another secret."),
    keysPage: z.string().nullable().openapi({
      description: "Where the provider's keys are deleted by hand; null: not known.",
    }),
  })
  .openapi("StolenSecret");

export async function formatStolenSecrets(
  rotations: readonly RotationRecord[],
  reading: RotationReading,
): Promise<z.infer<typeof stolenSecretSchema>[]> {
  const { names } = reading;
  return await Promise.all(
    rotations.slice(0, MAX_TOLD).map(async (rotation) => ({
      rotationId: rotation.id,
      keyId: rotation.keyId,
      key: await names.providerKey(rotation.keyId),
      environment: await names.environment(rotation.environmentId),
      account: await names.account(rotation.accountId),
      preview: rotation.old.preview,
      oldSecret: rotation.oldFate === "valid" ? ("valid" as const) : ("unknown" as const),
      since: formatInstant(rotation.activatedAtMs ?? rotation.createdAtMs),
      keysPage: await keysPageOf(rotation, reading),
    })),
  );
}
